package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.TESTDATA;
import static dev.tern.cli.InProcess.tern;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Faults of a command line or its input: in words, with a status, and nothing is left behind. */
class FaultsTest {
    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void convert() {
        model = TinyModel.in(folder);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "convert @packed -o out.gguf --outtype q9_z | 2 | q9_z",
        "convert @packed | 2 | --output",
        "convert @packed -o out.gguf --embedding-type q5_k | 2 | q5_k",
        "convert @packed -o @new --kernel-config x.ini | 2 | tl1 or tl2",
        "convert @packed -o @new --outtype i2_s --kernel-config x.ini | 2 | found i2_s",
        "convert @packed -o @new --outtype tl2 --kernel-config /no/such.ini | 1 | /no/such.ini",
        "convert @packed -o @new --outtype tl2 --kernel-config @model | 1 | expected a kernel_config.ini",
        "validate @model --kernel-config /no/such.ini | 1 | no TL1 or TL2",
        "inspect @model --kernel-config /no/such.ini | 1 | no TL1 or TL2",
        "inspect @packed --kernel-config /no/such.ini | 1 | is a checkpoint",
        "convert /no/such/folder -o @new | 1 | /no/such/folder",
        "convert @packed -o /no/such/folder/out.gguf | 1 | /no/such/folder",
        "convert @packed -o @new --arch nonsense | 1 | nonsense",
        "inspect /no/such.gguf | 1 | /no/such.gguf",
        "validate /no/such.gguf | 1 | /no/such.gguf",
        "run -m /no/such.gguf -p x | 1 | /no/such.gguf",
        "run -m @model | 2 | -p=TEXT",
        "run -m @model -p x -f y | 2 | mutually exclusive",
        "run -m @model -p x -n many | 2 | many",
        "run -m @model -p x -t 0 | 2 | --threads",
        "run -m @model -p x --temp -1 | 2 | temperature",
        "run -m @model -p x --cache-type f64 | 2 | f64",
        "run -m @model -p x --system y | 2 | --chat",
        "run -m @model -p x --chat-template chatml | 2 | needs --chat",
        "run -m @model -p x --chat --chat-template chatmel | 1 | one of bitnet, chatml, ",
        "chat -m @model --chat-template @model | 1 | too large for a chat template",
        "run -m @model -p x --draft sometimes | 2 | --draft",
        "run -m @model -p x --draft-max 64 | 2 | 0 to 63",
        "chat -m @model --draft-ngram 0 | 2 | n-gram",
        "run -m @model -f /no/such.txt | 1 | /no/such.txt",
        "run -m @model -c 4 -p 'A_long_prompt_that_does_not_fit' | 1 | longer than the context",
        "logits -m @model --tokens 1,99999 -o @new | 1 | 99999",
        "logits -m @model --tokens 1,x -o @new | 2 | x",
        "logits -m @model -p x -o @model | 2 | model",
        "logits -m @model -p x -o /no/such/folder/x.npy | 1 | /no/such/folder",
        "perplexity -m @model -f /no/such.txt | 1 | /no/such.txt",
        "tokenize -m @model -f /no/such.txt | 1 | /no/such.txt",
        "synth --like 70b -o @new | 2 | 70b",
        "bench -m @model -o xml | 2 | xml",
        "bench -m @model -t 0 | 2 | -t",
        "bench -m @model -t 1024 --pin | 1 | cannot be bound to processors",
        "run -m @model -p x -t 1024 --pin | 1 | cannot be bound to processors",
        "demo --fable nonsense | 2 | --list",
    })
    void saysWhatIsWrongAndLeavesNothing(String line, int status, String word) {
        Path fresh = folder.resolve("fresh");
        List<Object> arguments = new ArrayList<>();
        for (String argument : line.split(" ")) {
            arguments.add(argument.equals("@packed")
                    ? PACKED
                    : argument.equals("@model") ? model : argument.equals("@new") ? fresh : argument);
        }
        InProcess.Result result = tern(arguments.toArray());
        assertThat(result.status()).as(result.err()).isEqualTo(status);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).startsWith("tern: ").contains(word).doesNotContain("\tat ");
        assertThat(fresh).doesNotExist();
    }

    @Test
    void aDamagedModelIsTheInputsFault() throws Exception {
        byte[] bytes = Files.readAllBytes(model);
        Path half = Files.write(folder.resolve("half.gguf"), java.util.Arrays.copyOf(bytes, bytes.length / 2));
        for (String command : List.of("inspect", "validate")) {
            InProcess.Result result = tern(command, half);
            assertThat(result.status()).as(command + result.out()).isEqualTo(1);
        }
        InProcess.Result run = tern("run", "-m", half, "-p", "x");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("half.gguf").doesNotContain("\tat ");
    }

    @Test
    void faultsInATextAreInWords() throws Exception {
        Path lines = Files.writeString(folder.resolve("lines.jsonl"), "{\"text\": \"x\"}\n\n");
        InProcess.Result blank = tern("tokenize", "-m", model, "--jsonl", lines);
        assertThat(blank.status()).isEqualTo(1);
        assertThat(blank.err()).contains("line 2: expected an object with a string \"text\", found an empty line");
        InProcess.Result window = tern("perplexity", "-m", model, "-f", TESTDATA.resolve("golden/heldout_text.txt"), "-c", "1");
        assertThat(window.status()).isEqualTo(1);
        assertThat(window.err()).contains("expected at least 4, found 1");
    }
}
