package dev.tern.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufLayout;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufWriter;
import dev.tern.io.AtomicFile;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Makes a GGUF file whose logits fall as those of a trained model do, from one of any weights: the same blocks, with the
 * head and the final hidden states of {@link SyntheticHead.Kind#SPECTRUM}. What a head's screen spares depends on
 * nothing else, and with random weights no token ever stands out.
 *
 * <pre>
 * java -cp bench/target/benchmarks.jar dev.tern.bench.SpectrumModel MODEL.gguf SPECTRUM.gguf
 * </pre>
 *
 * <p>{@code output.weight} becomes the head, in Q6_K; row t of {@code token_embd.weight}, in F16, state t mod
 * {@link #STATES} times {@link #LOUD}, beside which what the blocks add is nothing; {@code output_norm.weight} ones. So
 * the last norm gives the state of the token that went in, while every block computes all that it computes in any model.
 */
final class SpectrumModel {
    static final int STATES = 1024;
    static final float LOUD = 4096;

    private static final String EMBEDDING = "token_embd.weight";
    private static final String HEAD = "output.weight";
    private static final String NORM = "output_norm.weight";

    private SpectrumModel() {}

    /** The file to read, and the one to write, which must not be there. */
    public static void main(String[] args) {
        if (args.length != 2) {
            System.err.println("Usage: SpectrumModel MODEL.gguf SPECTRUM.gguf");
            System.exit(2);
        }
        make(Path.of(args[0]), Path.of(args[1]));
    }

    static void make(Path model, Path spectrum) {
        try (GgufFile file = GgufFile.open(model);
                AtomicFile out = AtomicFile.create(spectrum, false);
                Arena arena = Arena.ofShared()) {
            GgufTensor embedding = file.require(EMBEDDING);
            int cols = Math.toIntExact(embedding.cols());
            int rows = Math.toIntExact(embedding.rows());
            SyntheticHead synthetic = new SyntheticHead(SyntheticHead.Kind.SPECTRUM, rows, cols);
            GgufWriter writer = new GgufWriter(layout(file, cols, rows), out);
            for (GgufTensor tensor : file.tensors()) {
                switch (tensor.name()) {
                    case EMBEDDING -> writer.write(EMBEDDING, embedding(arena, synthetic, rows, cols));
                    case HEAD -> {}
                    case NORM -> writer.write(NORM, ones(arena, cols));
                    default -> writer.write(tensor.name(), file.data(tensor));
                }
            }
            writer.write(HEAD, synthetic.head(arena, FloatType.Q6_K).values());
            out.commit();
        }
    }

    private static GgufLayout layout(GgufFile file, int cols, int rows) {
        GgufLayout.Builder layout = GgufLayout.builder();
        file.metadata().forEach((key, value) -> {
            if (!key.equals("general.alignment")) { // that of the new file is the usual one
                layout.metadata(key, value);
            }
        });
        for (GgufTensor tensor : file.tensors()) {
            switch (tensor.name()) {
                case EMBEDDING -> layout.tensor(EMBEDDING, GgmlType.F16, cols, rows);
                case HEAD -> {}
                case NORM -> layout.tensor(NORM, GgmlType.F32, cols);
                default -> layout.tensor(tensor.name(), tensor.type(), tensor.dims());
            }
        }
        return layout.tensor(HEAD, GgmlType.Q6_K, cols, rows).build();
    }

    private static MemorySegment embedding(Arena arena, SyntheticHead synthetic, int rows, int cols) {
        FloatWeights states = synthetic.states(arena, Math.min(STATES, rows));
        long rowBytes = FloatType.F16.bytes(cols);
        MemorySegment all = arena.allocate(rowBytes * rows, 64);
        for (int row = 0; row < rows; row++) {
            if (row >= states.rows()) { // rows before it repeat
                MemorySegment.copy(all, (row - states.rows()) * rowBytes, all, row * rowBytes, rowBytes);
                continue;
            }
            float[] state = new float[cols];
            for (int c = 0; c < cols; c++) {
                state[c] = LOUD * states.values().getAtIndex(JAVA_FLOAT, (long) row * cols + c);
            }
            SyntheticHead.write(state, FloatType.F16, all.asSlice(row * rowBytes, rowBytes));
        }
        return all;
    }

    private static MemorySegment ones(Arena arena, int cols) {
        MemorySegment ones = arena.allocate(4L * cols, 64);
        for (int c = 0; c < cols; c++) {
            ones.setAtIndex(JAVA_FLOAT, c, 1);
        }
        return ones;
    }
}
