package dev.tern.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Runs a command in this JVM, with streams that are no terminals. */
final class InProcess {
    static final Path TESTDATA = Path.of(System.getProperty("tern.testdata"));
    static final Path PACKED = TESTDATA.resolve("tiny-bitnet/packed-u8");
    static final Path ONLINE = TESTDATA.resolve("tiny-bitnet/online-bf16");

    private InProcess() {}

    /** What a caller sees. */
    record Result(int status, String out, String err) {}

    static Result tern(Object... arguments) {
        return ternWithInput("", arguments);
    }

    static Result ternWithInput(String input, Object... arguments) {
        String[] words = new String[arguments.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = String.valueOf(arguments[i]);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(
                new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), out, err, false, false, false);
        int status = Tern.run(terminal, new Interruption(), words);
        return new Result(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
