package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import dev.tern.kernels.Kernels;
import dev.tern.model.BlockRunner;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.ThreadTeam;
import dev.tern.probe.BlockwiseModel;
import dev.tern.probe.CheckpointBlocks;
import dev.tern.probe.GgufBlocks;
import dev.tern.probe.Likelihood;
import dev.tern.probe.Rewrite;
import dev.tern.ternary.LutTiles;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * Runs the file's model and the checkpoint's on the same tokens and compares what they compute. The checkpoint's does
 * without any GGUF code: its rows keep Hugging Face's order and pairs, its scales are rounded as the file's types round
 * them and nothing else. So wrong hyperparameters, norms, permutations or names show here, which comparing tensor by
 * tensor takes for granted.
 *
 * <p>The file's model first continues the prompt greedily; then the checkpoint's sees prompt and continuation in one
 * pass, in which its most likely token at each position must be the file's: so both continue alike. Where both add up
 * in the same order, the residual stream behind every block and all logits must be equal bit for bit. They do not for
 * the architecture {@code llama}, whose heads' elements lie in another order: there see {@link #MOST_DEVIATION}, by
 * which two tokens may also be too close to tell which is the more likely.
 *
 * <p>Of the weights one block is in memory at a time. Not thread-safe.
 */
final class GraphComparison implements AutoCloseable {
    /** Tokens of the prompt at most, and tokens of the continuation. */
    private static final int PROMPT = 48;

    private static final int CONTINUATION = 4;

    /**
     * Root mean square of the deviation of a position's logits, as a share of their own, where elements are added up in
     * another order; and the lead that a token may have in the checkpoint's logits over the file's most likely one. The
     * order of sums changes logits by 1e-6 of that; then single activations round to the neighbouring int8, a step of
     * 1/127, and what follows moves by 1e-3 to 2e-2. A wrong permutation moves it by more than 0.5.
     */
    private static final double MOST_DEVIATION = 0.1;

    private final ThreadTeam team;
    private final Arena arena;
    private final CheckpointBlocks blocks;
    private final BlockRunner runner;
    private final boolean sameOrder;
    private final int vocab;
    private final int[] ids; // prompt and continuation but its last token
    private final int promptLength;
    private final MemorySegment fileLogits; // [ids][vocab]
    private final MemorySegment[] fileStates; // [layers], each [ids][hidden]; where bits are compared
    private final MemorySegment states; // the checkpoint's residual stream so far
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
        this.vocab = model.vocabSize();
        this.sameOrder = !model.architecture().equals("llama");
        int room = Math.max(1, model.contextLength() - CONTINUATION);
        this.promptLength = Math.min(Math.min(prompt.length, PROMPT), room);
        this.ids = Arrays.copyOf(prompt, Math.min(promptLength + CONTINUATION - 1, model.contextLength()));
        FileRounding rounding = new FileRounding(file, tiles);
        this.blocks = new CheckpointBlocks(checkpoint, checkpoint.hyperparameters(), rounding, Rewrite.NONE);
        this.fileStates = new MemorySegment[sameOrder ? model.layers() : 0];
        this.arena = Arena.ofShared();
        this.team = new ThreadTeam(Runtime.getRuntime().availableProcessors());
        try {
            this.runner = new BlockRunner(blocks.model(), kernels, team, ids.length);
            this.fileLogits = arena.allocate(4L * ids.length * vocab, 64);
            this.states = runner.states(arena, ids.length);
            for (int layer = 0; layer < fileStates.length; layer++) {
                fileStates[layer] = runner.states(arena, ids.length);
            }
            GgufBlocks own = new GgufBlocks(file, model, tiles, Rewrite.NONE);
            try (BlockwiseModel stored = new BlockwiseModel(own, kernels, team, ids.length)) {
                continueGreedily(stored, 4L * model.hiddenSize());
            }
            blocks.embed(ids, states);
        } catch (Throwable thrown) { // the runner holds nothing before it runs
            team.close();
            arena.close();
            throw thrown;
        }
    }

    /** The prompt in one pass, then token by token. */
    private void continueGreedily(BlockwiseModel stored, long rowBytes) {
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

    /** Runs the checkpoint's model and compares; problems are added to the list, a sentence each. */
    ValidationReport.Graph run(List<String> problems) {
        for (int layer = 0; layer < blocks.model().layers(); layer++) {
            try (Arena weights = Arena.ofShared()) {
                runner.block(layer, blocks.layer(layer, weights), states, 0, ids.length);
            }
            if (sameOrder && firstDifference.isEmpty() && fileStates[layer].mismatch(states) >= 0) {
                firstDifference = OptionalInt.of(layer);
            }
        }
        MemorySegment logits = arena.allocate(fileLogits.byteSize(), 64);
        BlockwiseModel.logits(blocks, runner, states, ids.length, logits);
        firstDifference.ifPresent(layer -> problems.add("graph: behind block " + layer + " the file's model computes"
                + " other values than the checkpoint's, from the same tokens and weights: hyperparameters, norms or the"
                + " order of rows differ"));
        int agreeing = 0;
        double largest = 0;
        boolean bits = firstDifference.isEmpty() && sameOrder;
        for (int t = 0; t < ids.length; t++) {
            LogitsComparison position = LogitsComparison.of(logits, fileLogits, vocab, t);
            agreeing += position.agrees() ? 1 : 0;
            largest = Math.max(largest, position.deviation());
            long from = 4L * vocab * t;
            boolean equal = logits.asSlice(from, 4L * vocab).mismatch(fileLogits.asSlice(from, 4L * vocab)) < 0;
            bits &= equal;
            boolean fits = sameOrder ? equal : position.within(MOST_DEVIATION);
            if (firstDifference.isEmpty() && !fits && problems.isEmpty()) {
                problems.add("graph: the logits of position " + t + " are not the checkpoint's: expected token "
                        + position.expected() + ", found " + position.found()
                        + String.format(Locale.ROOT, ", deviation %.3g", position.deviation()));
            }
        }
        int[] continuation = Arrays.copyOfRange(ids, promptLength, ids.length + 1);
        continuation[continuation.length - 1] = Likelihood.argmax(fileLogits, vocab, ids.length - 1);
        return new ValidationReport.Graph(
                promptLength, Arrays.stream(continuation).boxed().toList(), ids.length, agreeing, bits, largest);
    }

    @Override
    public void close() {
        runner.close();
        team.close();
        arena.close();
    }
}
