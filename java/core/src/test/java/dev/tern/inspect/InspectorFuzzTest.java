package dev.tern.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.TestGguf;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufValue;
import dev.tern.io.InputException;
import dev.tern.model.FfnActivation;
import dev.tern.model.LowRankRanks;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import dev.tern.tokenizer.Vocabulary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
        return small(SMALL, outtype);
    }

    private byte[] small(ModelHyperparameters model, Outtype outtype) throws IOException {
        TestGguf gguf = TestGguf.random(model, outtype, 5);
        gguf.metadata.putAll(Vocabulary.ofCheckpoint(PACKED, 4096).toGguf());
        return Files.readAllBytes(gguf.write(folder.resolve("small.gguf")));
    }

    @ParameterizedTest
    @EnumSource(names = {"I2_S", "TQ1_0", "TL2"})
    void changedBytesThrowNothing(Outtype outtype) throws IOException {
        changed(small(outtype), outtype);
        changed(small(SMALL.with(new LowRankRanks(8, 8, 8, 8, 8, 8, 8), 0), outtype), outtype);
    }

    private void changed(byte[] good, Outtype outtype) throws IOException {
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

    /** Low-rank corrections of every pair of types, of which only two equal floats can be computed with. */
    @Test
    void lowRankCorrectionsOfAnyTypesThrowNothing() throws IOException {
        GgmlType[] types = {
            GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0, GgmlType.Q6_K, GgmlType.Q4_K, GgmlType.I8, GgmlType.F64
        };
        ModelHyperparameters corrected = SMALL.with(new LowRankRanks(256, 0, 0, 0, 0, 0, 256), 0);
        for (GgmlType u : types) {
            for (GgmlType v : types) {
                TestGguf gguf = TestGguf.random(corrected, Outtype.I2_S, 5);
                gguf.metadata.putAll(Vocabulary.ofCheckpoint(PACKED, 4096).toGguf());
                retype(gguf, "blk.0.attn_q.lrc_u", u);
                retype(gguf, "blk.0.attn_q.lrc_v", v);
                boolean good = u == v && u.isFloat();
                Path file = gguf.write(folder.resolve("low-rank.gguf"));
                Inspection found = Inspector.inspect(file, new Inspector.Options(null, u == v, text -> {}));
                assertThat(found.broken()).as("%s and %s", u, v).isNotEqualTo(good);
                assertThat(found.probe() != null).isEqualTo(good);
            }
        }
    }

    private static void retype(TestGguf gguf, String name, GgmlType type) {
        long[] dims = gguf.tensors.get(name).dims();
        gguf.tensors.put(name, new TestGguf.Entry(type, dims, new byte[(int) type.bytes(dims[0], dims[1])]));
    }

    /** With general.alignment 1, tensors may lie at any byte. */
    @Test
    void lowRankCorrectionsNeedNotBeAligned() throws IOException {
        ModelHyperparameters corrected = SMALL.with(new LowRankRanks(8, 8, 8, 8, 8, 8, 8), 0);
        TestGguf gguf = TestGguf.random(corrected, Outtype.I2_S, 5);
        gguf.metadata.putAll(Vocabulary.ofCheckpoint(PACKED, 4096).toGguf());
        gguf.metadata.put("general.alignmenu", GgufValue.u32(1));
        Path aligned = gguf.write(folder.resolve("aligned.gguf"));
        byte[] bytes = Files.readAllBytes(aligned);
        // The true name of the key, and no padding before the data.
        bytes[end(bytes, "general.alignmenu") - 1] = 't';
        int headerEnd = end(bytes, "blk.0.ffn_down.lrc_v") + 4 + 2 * 8 + 4 + 8;
        assertThat(headerEnd % 4).isNotZero();
        byte[] shifted = new byte[bytes.length - (32 - headerEnd % 32)];
        System.arraycopy(bytes, 0, shifted, 0, headerEnd);
        System.arraycopy(bytes, bytes.length - (shifted.length - headerEnd), shifted, headerEnd, shifted.length - headerEnd);
        Inspection found = Inspector.inspect(Files.write(folder.resolve("shifted.gguf"), shifted));
        assertThat(found.broken()).as("%s", found.findings()).isFalse();
        assertThat(found.probe().negativeLogLikelihood())
                .isEqualTo(Inspector.inspect(aligned).probe().negativeLogLikelihood());
    }

    private static int end(byte[] bytes, String text) {
        return new String(bytes, StandardCharsets.ISO_8859_1).indexOf(text) + text.length();
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
