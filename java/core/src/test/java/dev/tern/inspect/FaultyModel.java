package dev.tern.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.TestGguf;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufValue;
import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;

/** The trained model in a file of a test's making, and what an inspection says of it. */
abstract class FaultyModel {
    static final Path MODELS = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet");

    @TempDir
    Path folder;

    TestGguf tiny(Outtype outtype) {
        try (Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("packed-u8"))) {
            return TestGguf.of(checkpoint, outtype);
        }
    }

    interface MatrixSink {
        void accept(CheckpointTensor tensor, TernaryMatrix matrix);
    }

    void forEachMatrix(MatrixSink sink) {
        try (Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("packed-u8"))) {
            checkpoint.tensors().stream()
                    .filter(CheckpointTensor::ternary)
                    .forEach(tensor -> sink.accept(tensor, checkpoint.readTernary(tensor)));
        }
    }

    interface MasterSink {
        void accept(CheckpointTensor tensor, float[] weights);
    }

    void forMasters(MasterSink sink) {
        try (Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("online-bf16"))) {
            for (CheckpointTensor tensor : checkpoint.tensors()) {
                if (tensor.ternary()) {
                    float[] weights = new float[(int) tensor.elements()];
                    checkpoint.readFloats(tensor, 0, weights.length, MemorySegment.ofArray(weights));
                    sink.accept(tensor, weights);
                }
            }
        }
    }

    static void replace(TestGguf gguf, CheckpointTensor tensor, GgmlType type, byte[] bytes) {
        gguf.tensors.put(
                tensor.name(), new TestGguf.Entry(type, new long[] {tensor.cols(), tensor.rows()}, bytes));
    }

    /** I2_S tensors whose codes are these bytes; the scale behind them is right. */
    TestGguf i2s(Function<TernaryMatrix, byte[]> codes) {
        TestGguf gguf = tiny(Outtype.I2_S);
        forEachMatrix((tensor, m) -> {
            byte[] bytes = Arrays.copyOf(codes.apply(m), m.values().length / 4 + 32);
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(m.values().length / 4, m.scale());
            replace(gguf, tensor, GgmlType.I2_S, bytes);
        });
        return gguf;
    }

    interface Change {
        TernaryMatrix of(String name, TernaryMatrix matrix);
    }

    TestGguf matrices(Outtype outtype, Change change) {
        TestGguf gguf = tiny(outtype);
        forEachMatrix((tensor, m) -> gguf.ternary(tensor.name(), outtype, change.of(tensor.name(), m)));
        return gguf;
    }

    /** Matrices of three values made of the masters by a quantizer. */
    TestGguf masters(Outtype outtype, UnaryOperator<float[]> quantizer) {
        TestGguf gguf = tiny(outtype);
        forMasters((tensor, w) -> {
            float[] made = quantizer.apply(w);
            byte[] values = new byte[made.length];
            float scale = 0;
            for (int i = 0; i < made.length; i++) {
                values[i] = (byte) Math.signum(made[i]);
                scale = Math.max(scale, Math.abs(made[i]));
            }
            gguf.ternary(tensor.name(), outtype, new TernaryMatrix(tensor.rows(), tensor.cols(), values, scale));
        });
        return gguf;
    }

    static boolean rotated(String name) {
        return name.endsWith("attn_q.weight") || name.endsWith("attn_k.weight");
    }

    static TernaryMatrix rows(TernaryMatrix m, IntUnaryOperator source) {
        byte[] values = new byte[m.values().length];
        IntStream.range(0, m.rows()).forEach(target -> System.arraycopy(
                m.values(), source.applyAsInt(target) * m.cols(), values, target * m.cols(), m.cols()));
        return new TernaryMatrix(m.rows(), m.cols(), values, m.scale());
    }

    static void rename(TestGguf gguf, String architecture) {
        String old = (String) gguf.metadata.get("general.architecture").value();
        List<String> keys = new ArrayList<>(gguf.metadata.keySet());
        for (String key : keys) {
            if (key.startsWith(old + ".")) {
                gguf.metadata.put(architecture + key.substring(old.length()), gguf.metadata.remove(key));
            }
        }
        gguf.metadata.put("general.architecture", GgufValue.of(architecture));
    }

    @SuppressWarnings("unchecked")
    static List<String> tokens(TestGguf gguf) {
        return new ArrayList<>((List<String>) gguf.metadata.get("tokenizer.ggml.tokens").value());
    }

    static int find(byte[] bytes, byte[] text) {
        for (int at = 0; ; at++) {
            if (Arrays.equals(bytes, at, at + text.length, text, 0, text.length)) {
                return at;
            }
        }
    }

    Inspection inspect(TestGguf gguf) {
        return Inspector.inspect(gguf.write(folder.resolve("m.gguf")));
    }

    static List<FindingKind> kinds(Path file) {
        return alarms(Inspector.inspect(file)).stream().map(Finding::kind).toList();
    }

    static List<Finding> alarms(Inspection inspection) {
        return inspection.findings().stream().filter(f -> f.severity() != Severity.NOTE).toList();
    }

    void assertOnly(FindingKind kind, TestGguf gguf) {
        List<Finding> found = alarms(inspect(gguf));
        assertThat(found).as("%s", found).extracting(Finding::kind).containsExactly(kind);
        assertThat(found.getFirst().cure()).isNotEmpty();
    }
}
