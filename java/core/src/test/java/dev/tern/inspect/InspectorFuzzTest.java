package dev.tern.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.TestGguf;
import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import dev.tern.tokenizer.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever stands in a file, an inspection describes it or says that it is no model; nothing else is thrown. */
class InspectorFuzzTest {
    private static final Path PACKED = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet/packed-u8");
    private static final ModelHyperparameters SMALL = new ModelHyperparameters(
            "bitnet-b1.58", "f", 4096, 256, 256, 256, 1, 4, 2, 64, 64, 10_000f, 1e-5f, FfnActivation.RELU_SQUARED, true, true);

    @TempDir
    Path folder;

    private byte[] small(Outtype outtype) throws IOException {
        TestGguf gguf = TestGguf.random(SMALL, outtype, 5);
        gguf.metadata.putAll(Vocabulary.ofCheckpoint(PACKED, 4096).toGguf());
        return Files.readAllBytes(gguf.write(folder.resolve("small.gguf")));
    }

    @ParameterizedTest
    @EnumSource(names = {"I2_S", "TQ1_0", "TL2"})
    void changedBytesThrowNothing(Outtype outtype) throws IOException {
        byte[] good = small(outtype);
        int dataStart;
        try (GgufFile file = GgufFile.open(folder.resolve("small.gguf"))) {
            dataStart = (int) file.dataStart();
        }
        Random random = new Random(outtype.ordinal());
        int described = 0;
        for (int i = 0; i < 120; i++) {
            byte[] bytes = good.clone();
            int changes = 1 + random.nextInt(3);
            for (int c = 0; c < changes; c++) {
                // the head of the metadata, the tensors' descriptions behind the tokenizer, or the data
                int at = switch (i % 3) {
                    case 0 -> random.nextInt(1200);
                    case 1 -> dataStart - 1 - random.nextInt(900);
                    default -> dataStart + random.nextInt(bytes.length - dataStart);
                };
                bytes[at] = (byte) (random.nextBoolean() ? random.nextInt(256) : random.nextBoolean() ? 0 : 0xFF);
            }
            described += inspect(bytes, i % 8 == 0);
        }
        assertThat(described).isGreaterThan(60);
    }

    @Test
    void cutOffFilesThrowNothing() throws IOException {
        byte[] good = small(Outtype.I2_S);
        Random random = new Random(9);
        for (int i = 0; i < 60; i++) {
            inspect(Arrays.copyOf(good, i < 40 ? 4 + i * 5 : random.nextInt(good.length)), false);
        }
    }

    /** 1 when there is a description. */
    private int inspect(byte[] bytes, boolean probe) throws IOException {
        Path file = Files.write(folder.resolve("damaged.gguf"), bytes);
        try {
            Inspection found = Inspector.inspect(file, new Inspector.Options(null, probe, text -> {}));
            assertThat(found.findings()).allMatch(finding -> !finding.text().isBlank());
            return 1;
        } catch (InputException e) {
            assertThat(e.getMessage()).isNotBlank();
            return 0;
        }
    }
}
