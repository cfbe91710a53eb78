package dev.tern.cli;

import dev.tern.io.InputException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Text that a user hands in: UTF-8, strictly, from a file or, named {@code -}, from standard input. */
final class TextFile {
    private static final Path STANDARD_INPUT = Path.of("-");

    private TextFile() {}

    /**
     * The whole text.
     *
     * @throws InputException when it is missing, unreadable or not UTF-8
     */
    static String read(Path file, Terminal terminal) {
        byte[] bytes;
        try {
            if (file.equals(STANDARD_INPUT)) {
                bytes = terminal.in().readAllBytes();
            } else {
                require(file);
                bytes = Files.readAllBytes(file);
            }
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read", e).exception(e);
        }
        ByteBuffer input = ByteBuffer.wrap(bytes);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .decode(input)
                    .toString();
        } catch (CharacterCodingException e) {
            throw InputException.at(file)
                    .offset(input.position())
                    .problem("not UTF-8 text")
                    .cure("Convert it: iconv -f latin1 -t utf-8.")
                    .exception(e);
        }
    }

    /** The text in lines, one at a time. */
    static BufferedReader lines(Path file, Terminal terminal) {
        try {
            InputStream in;
            if (file.equals(STANDARD_INPUT)) {
                in = terminal.in();
            } else {
                require(file);
                in = Files.newInputStream(file);
            }
            return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read", e).exception(e);
        }
    }

    private static void require(Path file) {
        if (!Files.exists(file)) {
            throw InputException.at(file).problem("no such file").cure("Check the path.").exception();
        }
        if (Files.isDirectory(file)) {
            throw InputException.at(file).expected("a text file").found("a folder").exception();
        }
    }
}
