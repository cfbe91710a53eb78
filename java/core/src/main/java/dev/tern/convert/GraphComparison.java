package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.TernaryWeights;
import dev.tern.model.BlockRunner;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.ThreadTeam;
import dev.tern.probe.Blocks;
import dev.tern.probe.BlockwiseModel;
import dev.tern.probe.CheckpointBlocks;
import dev.tern.probe.GgufBlocks;
import dev.tern.probe.Likelihood;
import dev.tern.probe.Rewrite;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Runs the file's model and the checkpoint's on the same tokens and compares what they compute. The checkpoint's does without
 * any GGUF code: its matrices are handed over as they are read, its rows keep Hugging Face's order and pairs, its scales are
 * rounded as the file's types round them and nothing else. So wrong hyperparameters, norms, permutations or names show here,
 * which comparing tensor by tensor takes for granted.
 *
 * <p>The file's model first continues the prompt greedily; then the checkpoint's sees prompt and continuation in one pass, in
 * which its most likely token at each position must be the file's: so both continue alike. Where both add up in the same
 * order, the residual stream behind every block and all logits must be equal bit for bit. They do not for the architecture
 * {@code llama}, whose heads' elements lie in another order: there see {@link #MOST_DEVIATION}.
 *
 * <p>Of the weights one block is in memory at a time. Not thread-safe.
 */
final class GraphComparison implements AutoCloseable {
    /** Tokens of the prompt at most, and tokens of the continuation. */
    private static final int PROMPT = 48;

    private static final int CONTINUATION = 4;

    /**
     * Root mean square of the deviation of a position's logits, as a share of their own, where elements are added up in
     * another order. The order of sums changes logits by 1e-6 of that; then single activations round to the neighbouring
     * int8, a step of 1/127, and what follows moves by 1e-3 to 2e-2. A wrong permutation moves it by more than 0.5.
     */
    private static final double MOST_DEVIATION = 0.1;

    private final GgufFile file;
    private final LutTiles tiles;
    private final Checkpoint checkpoint;
    private final ThreadTeam team = new ThreadTeam(Runtime.getRuntime().availableProcessors());
    private final Arena arena = Arena.ofShared();
    private final CheckpointBlocks blocks;
    private final BlockRunner runner;
    private final boolean sameOrder;
    private final int vocab;
    private final int[] ids; // prompt and continuation but its last token
    private final int promptLength;
    private final MemorySegment fileLogits; // [ids][vocab]
    private final MemorySegment[] fileStates; // [layers], each [ids][hidden]; where bits are compared
    private final MemorySegment states; // the checkpoint's residual stream so far
    private final Map<String, TernaryWeights> pending = new HashMap<>(); // matrices of the next block
    private Arena pendingArena = Arena.ofShared();
    private int nextLayer;
    private OptionalInt firstDifference = OptionalInt.empty();

    /**
     * Runs the file's model.
     *
     * @param model the file's hyperparameters
     * @param prompt ids in the vocabulary, at least one
     * @throws InputException when the file's model cannot be run
     */
    GraphComparison(
            GgufFile file,
            ModelHyperparameters model,
            LutTiles tiles,
            Checkpoint checkpoint,
            int[] prompt,
            Kernels kernels) {
        this.file = file;
        this.tiles = tiles;
        this.checkpoint = checkpoint;
        this.vocab = model.vocabSize();
        this.sameOrder = !model.architecture().equals("llama");
        this.promptLength = Math.min(Math.min(prompt.length, PROMPT), Math.max(1, model.contextLength() - CONTINUATION));
        this.ids = Arrays.copyOf(prompt, Math.min(promptLength + CONTINUATION - 1, model.contextLength()));
        this.blocks = new CheckpointBlocks(
                checkpoint, checkpoint.hyperparameters(), embeddingType(file.require("token_embd.weight")), Rewrite.NONE);
        this.runner = new BlockRunner(blocks.model(), kernels, team, ids.length);
        this.fileLogits = arena.allocate(4L * ids.length * vocab, 64);
        this.fileStates = new MemorySegment[sameOrder ? model.layers() : 0];
        this.states = runner.states(arena, ids.length);
        for (int layer = 0; layer < fileStates.length; layer++) {
            fileStates[layer] = runner.states(arena, ids.length);
        }
        try (BlockwiseModel stored =
                new BlockwiseModel(new GgufBlocks(file, model, tiles, Rewrite.NONE), kernels, team, ids.length)) {
            run(stored, 4L * model.hiddenSize());
        } catch (Throwable thrown) {
            close();
            throw thrown;
        }
        blocks.embed(ids, states);
    }

    private static FloatType embeddingType(GgufTensor embedding) {
        return switch (embedding.type()) {
            case F16 -> FloatType.F16;
            case BF16 -> FloatType.BF16;
            default -> FloatType.F32;
        };
    }

    /** The prompt in one pass, then token by token. */
    private void run(BlockwiseModel stored, long rowBytes) {
        for (int position = 0, count = promptLength; position < ids.length; position += count, count = 1) {
            int[] batch = Arrays.copyOfRange(ids, position, position + count);
            long from = position * rowBytes;
            stored.evaluate(batch, fileLogits.asSlice(4L * vocab * position), (layer, after) -> {
                if (sameOrder) {
                    MemorySegment.copy(after, 0, fileStates[layer], from, batch.length * rowBytes);
                }
            });
            int last = position + count - 1;
            if (last + 1 < ids.length) {
                ids[last + 1] = Likelihood.argmax(fileLogits, vocab, last);
            }
        }
    }

    /**
     * Takes a matrix of the checkpoint, in its own order of rows. Blocks must come in order; those that did not come are
     * read by {@link #finish}.
     */
    void accept(CheckpointTensor source, TernaryMatrix matrix) {
        if (nextLayer == blocks.model().layers() || !source.name().startsWith("blk." + nextLayer + ".")) {
            return;
        }
        float stored = TernaryCodec.of(file.require(source.name()), tiles).orElseThrow().storedScale(matrix.scale());
        pending.put(
                source.name(),
                CheckpointBlocks.pack(
                        new TernaryMatrix(matrix.rows(), matrix.cols(), matrix.values(), stored), pendingArena));
        if (pending.size() == Blocks.MATRICES.size()) {
            runner.block(nextLayer, blocks.layer(nextLayer, pending::get), states, 0, ids.length);
            if (sameOrder && firstDifference.isEmpty() && fileStates[nextLayer].mismatch(states) >= 0) {
                firstDifference = OptionalInt.of(nextLayer);
            }
            nextLayer++;
            pending.clear();
            pendingArena.close();
            pendingArena = Arena.ofShared();
        }
    }

    /** Runs what is left and compares; problems are added to the list, a sentence each. */
    ValidationReport.Graph finish(List<String> problems) {
        for (CheckpointTensor source : checkpoint.tensors()) {
            boolean next = source.ternary() && source.name().startsWith("blk." + nextLayer + ".");
            if (next && !pending.containsKey(source.name())) {
                accept(source, checkpoint.readTernary(source));
            }
        }
        MemorySegment logits = arena.allocate(fileLogits.byteSize(), 64);
        BlockwiseModel.logits(blocks, runner, states, ids.length, logits);
        firstDifference.ifPresent(layer -> problems.add("graph: behind block " + layer + " the file's model computes other"
                + " values than the checkpoint's, from the same tokens and weights: hyperparameters, norms or the order of"
                + " rows differ"));
        int agreeing = 0;
        double largest = 0;
        boolean bits = firstDifference.isEmpty() && sameOrder;
        for (int t = 0; t < ids.length; t++) {
            int expected = Likelihood.argmax(logits, vocab, t);
            int found = Likelihood.argmax(fileLogits, vocab, t);
            agreeing += expected == found ? 1 : 0;
            double deviation = deviation(logits, t);
            largest = Math.max(largest, deviation);
            MemorySegment row = logits.asSlice(4L * vocab * t, 4L * vocab);
            boolean equal = row.mismatch(fileLogits.asSlice(4L * vocab * t, 4L * vocab)) < 0;
            bits &= equal;
            if (firstDifference.isEmpty() && (sameOrder ? !equal : !(deviation <= MOST_DEVIATION)) && problems.isEmpty()) {
                problems.add("graph: the logits of position " + t + " are not the checkpoint's: expected token " + expected
                        + ", found " + found + String.format(Locale.ROOT, ", deviation %.3g", deviation));
            }
        }
        int[] continuation = Arrays.copyOfRange(ids, promptLength, ids.length + 1);
        continuation[continuation.length - 1] = Likelihood.argmax(fileLogits, vocab, ids.length - 1);
        return new ValidationReport.Graph(
                promptLength, Arrays.stream(continuation).boxed().toList(), ids.length, agreeing, bits, largest);
    }

    /** Root mean square of the difference of a position's logits, as a share of their standard deviation. */
    private double deviation(MemorySegment logits, int token) {
        double mean = 0;
        double squares = 0;
        double difference = 0;
        for (int i = 0; i < vocab; i++) {
            double expected = logits.getAtIndex(ValueLayout.JAVA_FLOAT, (long) token * vocab + i);
            double found = fileLogits.getAtIndex(ValueLayout.JAVA_FLOAT, (long) token * vocab + i);
            mean += expected / vocab;
            squares += expected * expected / vocab;
            difference += (expected - found) * (expected - found) / vocab;
        }
        return difference == 0 ? 0 : Math.sqrt(difference / Math.max(squares - mean * mean, Float.MIN_NORMAL));
    }

    @Override
    public void close() {
        runner.close();
        team.close();
        pendingArena.close();
        arena.close();
    }
}
