package dev.tern;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.model.Processors;
import dev.tern.model.ThreadTeam;
import dev.tern.probe.BlockwiseTexts;
import dev.tern.probe.CheckpointBlocks;
import dev.tern.probe.Rewrite;
import dev.tern.probe.Rounding;
import dev.tern.probe.RunCost;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a checkpoint itself predicts of a text, which {@link Fidelity} holds files against. It is computed from the
 * safetensors without a GGUF file between: ternary matrices as (T, s) with s not rounded, embedding and head as stored,
 * widened exactly to float32; keys and values in float32. Activations become int8 as everywhere, since the model was
 * trained so.
 *
 * <p>The logits lie in a temporary file, {@code 4 · vocabulary} bytes a position, not in memory. Of the weights one
 * block, or 4096 rows of the head, are in memory at a time. Not thread-safe; {@link #close} removes the file, and so
 * does an orderly end of the JVM.
 */
public final class ReferenceLogits implements AutoCloseable {
    private final TextWindows text;
    private final int vocab;
    private final Path checkpoint;
    private final AtomicFile file; // never committed
    private final Arena arena;
    private final MemorySegment row;
    private final Softmax[] softmax;
    private double perplexity;

    private ReferenceLogits(TextWindows text, int vocab, Path checkpoint, AtomicFile file) {
        this.text = text;
        this.vocab = vocab;
        this.checkpoint = checkpoint;
        this.file = file;
        this.arena = Arena.ofShared();
        this.row = arena.allocate(4L * vocab, 64);
        this.softmax = new Softmax[text.positions()];
    }

    /** Hears how far the work is; what it throws ends it. */
    @FunctionalInterface
    public interface Progress {
        void step(int done, int all);
    }

    /** Bytes that the logits of a text take on the disk. */
    public static long bytes(TextWindows text, int vocab) {
        return Math.multiplyExact(4L * text.positions(), vocab);
    }

    /** Why a checkpoint's model cannot be run here in bearable time, or empty. */
    public static Optional<String> obstacle(Checkpoint checkpoint) {
        return RunCost.obstacle(checkpoint.hyperparameters(), KernelChoice.best().kernels());
    }

    /**
     * Runs the checkpoint's model over a text, on one thread a physical core.
     *
     * @param folder where the temporary file lies
     * @throws InputException when weights cannot be read, logits are not finite, or the disk is too full
     */
    public static ReferenceLogits of(Checkpoint checkpoint, TextWindows text, Path folder, Progress progress) {
        int vocab = checkpoint.hyperparameters().vocabSize();
        Kernels kernels = KernelChoice.best().kernels();
        AtomicFile file = AtomicFile.create(folder.resolve("reference-logits"), true);
        ReferenceLogits logits = new ReferenceLogits(text, vocab, checkpoint.folder(), file);
        try (ThreadTeam team = new ThreadTeam(Processors.current().threads())) {
            file.expect(bytes(text, vocab));
            CheckpointBlocks blocks =
                    new CheckpointBlocks(checkpoint, checkpoint.hyperparameters(), Rounding.NONE, Rewrite.NONE);
            new BlockwiseTexts(blocks, kernels, team).evaluate(text.windows(), logits.writer(progress));
            logits.summarize();
            return logits;
        } catch (Throwable thrown) {
            logits.close();
            throw thrown;
        }
    }

    private BlockwiseTexts.Sink writer(Progress progress) {
        return new BlockwiseTexts.Sink() {
            @Override
            public void progress(int done, int all) {
                progress.step(done, all);
            }

            @Override
            public void accept(int window, int firstId, int count, MemorySegment piece) {
                long first = firstPosition(window);
                for (int t = 0; t < text.windows().get(window).length - 1; t++) {
                    file.write(piece.asSlice(4L * t * count, 4L * count), 4L * ((first + t) * vocab + firstId));
                }
            }
        };
    }

    private void summarize() {
        double nll = 0;
        int position = 0;
        for (int[] window : text.windows()) {
            for (int t = 1; t < window.length; t++, position++) {
                Softmax of = Softmax.of(row(position));
                if (!of.finite()) {
                    throw InputException.at(checkpoint)
                            .problem("its model's logits are no numbers at token " + position + " of the text")
                            .cure("Look at it with tern inspect.")
                            .exception();
                }
                softmax[position] = of;
                nll -= of.logProbability(row, window[t]);
            }
        }
        perplexity = Math.exp(nll / position);
    }

    /** Index of a window's first position among all. */
    int firstPosition(int window) {
        return text.windows().stream().limit(window).mapToInt(ids -> ids.length - 1).sum();
    }

    /** The text. */
    public TextWindows text() {
        return text;
    }

    /** Logits of a position. */
    public int vocabSize() {
        return vocab;
    }

    /**
     * The logits of a position: float32 {@code [vocab]}, overwritten by the next call.
     *
     * @param position among those of all windows, one after the other
     */
    public MemorySegment row(int position) {
        file.read(row, 4L * position * vocab);
        return row;
    }

    Softmax softmax(int position) {
        return softmax[position];
    }

    /** exp of the mean negative log-likelihood of the text's tokens. */
    public double perplexity() {
        return perplexity;
    }

    @Override
    public void close() {
        file.close();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
