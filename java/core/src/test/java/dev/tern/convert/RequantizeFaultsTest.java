package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tern.TestGguf;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufValueType;
import dev.tern.io.InputException;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.ternary.TernaryRows;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** GGUF files that cannot become others, and why. */
class RequantizeFaultsTest {
    private static final Path PACKED = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet/packed-u8");

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    @BeforeAll
    static void convert() {
        for (Outtype outtype : List.of(Outtype.I2_S, Outtype.TQ1_0, Outtype.F16, Outtype.F32)) {
            Converter.from(PACKED).outtype(outtype).to(file(outtype));
        }
    }

    private static Path file(Outtype outtype) {
        return shared.resolve(outtype.label() + ".gguf");
    }

    private static TestGguf source(Outtype outtype) {
        try (Checkpoint checkpoint = Checkpoint.open(PACKED)) {
            return TestGguf.of(checkpoint, outtype);
        }
    }

    private static TernaryMatrix decode(GgufFile file, GgufTensor tensor) {
        return TernaryRows.of(file, tensor, LutTiles.ofGguf(file)).orElseThrow().matrix();
    }

    @Test
    void aScaleThatATypeCannotHoldNamesThoseThatCan() {
        String name = "blk.3.ffn_up.weight";
        for (float scale : new float[] {0, -0.5f, 1e6f}) {
            TestGguf source = source(Outtype.I2_S);
            byte[] t = new byte[1536 * 512];
            t[1000 * 512 + 3] = -1;
            source.ternary(name, Outtype.I2_S, new TernaryMatrix(1536, 512, t, scale));
            Path gguf = source.write(folder.resolve("source.gguf"));
            List<String> holding = new ArrayList<>();
            for (Outtype outtype : Outtype.values()) {
                Path made = folder.resolve(outtype + "" + scale);
                try {
                    Converter.from(gguf).outtype(outtype).to(made);
                    holding.add(outtype.label());
                    try (GgufFile file = GgufFile.open(made)) {
                        TernaryMatrix kept = decode(file, file.require(name));
                        assertThat(kept.values()).isEqualTo(t);
                        float error = outtype == Outtype.BF16 ? 0.004f : 0;
                        assertThat(kept.scale()).isEqualTo(scale, within(Math.abs(scale) * error));
                    }
                } catch (InputException e) {
                    assertThat(made).doesNotExist();
                }
            }
            assertThat(holding).isEqualTo(scale == 1e6f
                    ? List.of("i2_s", "tl1", "tl2", "bf16", "f32")
                    : List.of("i2_s", "tq1_0", "tq2_0", "tl1", "tl2"));
            assertThatThrownBy(() -> Converter.from(gguf).outtype(Outtype.Q8_0).to(folder.resolve("m.gguf")))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining(name)
                    .hasMessageContaining("with its scale: " + String.join(", ", holding) + ".");
        }
    }

    /** Nor is what it was made of known. */
    @Test
    void anEmbeddingThatCannotBeReadCannotBeCompared() {
        TestGguf source = source(Outtype.I2_S);
        long[] dims = source.tensors.get("token_embd.weight").dims();
        byte[] blocks = new byte[Math.toIntExact(GgmlType.Q4_K.bytes(dims[0], dims[1]))];
        source.tensors.put("token_embd.weight", new TestGguf.Entry(GgmlType.Q4_K, dims, blocks));
        Path gguf = source.write(folder.resolve("source.gguf"));
        assertThat(Validator.validate(file(Outtype.TQ1_0), gguf).problems())
                .singleElement()
                .asString()
                .isEqualTo("tensor 'token_embd.weight': stored as Q4_K in the source, which cannot be compared with"
                        + " F16");
        Path copied = folder.resolve("copied.gguf");
        ConversionReport report = Converter.from(gguf).outtype(Outtype.TQ1_0).validate(true).to(copied);
        assertThat(report.validation().problems()).isEmpty();
        assertThat(Validator.validate(copied, file(Outtype.TQ1_0)).problems())
                .anyMatch(problem -> problem.contains("the type Q4_K cannot be compared"));
    }

    @Test
    void whatIsNotTernaryIsRefusedWithTheReason() throws Exception {
        TestGguf quantized = source(Outtype.I2_S);
        byte[] blocks = new byte[512 * 512 / 32 * 18];
        quantized.tensors.put(
                "blk.1.attn_q.weight", new TestGguf.Entry(GgmlType.IQ4_NL, new long[] {512, 512}, blocks));
        Path iq4 = quantized.write(folder.resolve("iq4.gguf"));
        TestGguf continuous = source(Outtype.F16);
        continuous.floats("blk.2.ffn_up.weight", new Random(1), 0, 1, 512, 1536);
        Path floats = continuous.write(folder.resolve("floats.gguf"));
        for (Path source : List.of(iq4, floats)) {
            assertThatThrownBy(() -> Converter.from(source).outtype(Outtype.TQ1_0).to(folder.resolve("m.gguf")))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining(source == iq4 ? "'blk.1.attn_q.weight'" : "'blk.2.ffn_up.weight'")
                    .hasMessageContaining("is not ternary")
                    .hasMessageContaining("block by block")
                    .hasMessageContaining(source == iq4 ? "found IQ4_NL [512, 512]" : "ordinary floats")
                    .hasMessageContaining("Convert the original checkpoint");
        }
        assertThat(folder.resolve("m.gguf")).doesNotExist();
    }

    /** A damaged file is not said to hold other weights than ternary ones. */
    @Test
    void damageIsToldAsItIs() throws Exception {
        Path damaged = Files.copy(file(Outtype.I2_S), folder.resolve("damaged.gguf"));
        try (GgufFile file = GgufFile.open(damaged);
                RandomAccessFile raw = new RandomAccessFile(damaged.toFile(), "rw")) {
            raw.seek(file.dataStart() + file.require("blk.2.attn_k.weight").offset() + 5);
            raw.write(0x55 | 0xC0); // of row 0
        }
        Path cut = Files.copy(file(Outtype.TQ1_0), folder.resolve("cut.gguf"));
        try (RandomAccessFile raw = new RandomAccessFile(cut.toFile(), "rw")) {
            raw.setLength(raw.length() - 100_000);
        }
        Path nan = Files.copy(file(Outtype.F16), folder.resolve("nan.gguf"));
        try (GgufFile file = GgufFile.open(nan); RandomAccessFile raw = new RandomAccessFile(nan.toFile(), "rw")) {
            raw.seek(file.dataStart() + file.require("blk.0.attn_q.weight").offset() + 2 * 300);
            raw.write(new byte[] {0, 0x7E});
        }
        for (Path source : List.of(damaged, cut, nan)) {
            assertThatThrownBy(() -> Converter.from(source).plan())
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining(source.getFileName().toString())
                    .hasMessageContaining(
                            source == damaged
                                    ? "'blk.2.attn_k.weight': row 0, column 5 holds the code 3"
                                    : source == nan ? "'blk.0.attn_q.weight': row 0 holds NaN" : "end of the file")
                    .message()
                    .doesNotContain("is not ternary");
        }
    }

    @Test
    void aFileThatLacksTensorsIsRefused() {
        TestGguf lacking = source(Outtype.I2_S);
        lacking.tensors.remove("blk.3.ffn_norm.weight");
        TestGguf other = source(Outtype.I2_S);
        other.floats("blk.0.attn_sub_norm.weight", new float[256], 256);
        TestGguf split = source(Outtype.I2_S);
        split.metadata.put("split.count", u16(3));
        split.tensors.keySet().removeIf(name -> name.startsWith("blk.3."));
        assertThatThrownBy(() -> Converter.from(lacking.write(folder.resolve("lacking.gguf"))).plan())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("lacking.gguf: tensor 'blk.3.ffn_norm.weight': missing");
        assertThatThrownBy(() -> Converter.from(other.write(folder.resolve("other.gguf"))).plan())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("'blk.0.attn_sub_norm.weight'")
                .hasMessageContaining("expected [512], found [256]");
        assertThatThrownBy(() -> Converter.from(split.write(folder.resolve("split.gguf"))).plan())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("one of the 3 files")
                .hasMessageContaining("llama-gguf-split --merge");
        TestGguf one = source(Outtype.I2_S);
        one.metadata.put("split.count", u16(1));
        assertThat(Converter.from(one.write(folder.resolve("one.gguf"))).plan().tensors()).isNotEmpty();
    }

    private static GgufValue u16(int value) {
        return new GgufValue(GgufValueType.UINT16, GgufValueType.UINT16, (short) value);
    }

    /** Weights that stop being ternary further down are found as the band is read. */
    @Test
    void oneOddWeightInALateRowIsFound() throws Exception {
        Path damaged = Files.copy(file(Outtype.F32), folder.resolve("damaged.gguf"));
        try (GgufFile file = GgufFile.open(damaged);
                RandomAccessFile raw = new RandomAccessFile(damaged.toFile(), "rw")) {
            GgufTensor tensor = file.require("blk.3.ffn_up.weight");
            raw.seek(file.dataStart() + tensor.offset() + 4 * (1500L * 512 + 9) + 2);
            raw.write(0x11);
        }
        assertThatThrownBy(() -> Converter.from(damaged).to(folder.resolve("m.gguf")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("blk.3.ffn_up.weight")
                .hasMessageContaining("column 9");
        assertThat(folder.resolve("m.gguf")).doesNotExist();
    }
}
