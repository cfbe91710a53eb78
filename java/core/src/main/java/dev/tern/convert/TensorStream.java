package dev.tern.convert;

import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufWriter;
import dev.tern.ternary.TernaryCounts;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes a recipe's tensors on several threads: a ternary tensor is the work of one, which passes it through in bands
 * of rows, other large ones are shared, copied ones too. Memory is taken for a few bands a thread, whatever the size of
 * the tensors.
 */
final class TensorStream {
    /** Elements of a share of a tensor of floats. */
    private static final long SHARE = 1 << 23;

    /** Bytes of a share of a tensor that is copied. */
    private static final long COPY_SHARE = 1 << 22;

    private final Recipe recipe;
    private final GgufWriter writer;
    private final boolean hashes;
    private final ConversionProgress progress;
    private final List<String> notes;
    private final List<Share> shares = new ArrayList<>();
    private final AtomicIntegerArray left;
    private final AtomicReferenceArray<ConversionReport.@Nullable Ternary> ternary;

    /** A stretch of the tensor of that index: rows, or bytes of one that is copied. */
    private record Share(int index, long from, long end) {}

    /**
     * @param hashes whether every T is hashed
     * @param notes to which are added those that the weights give rise to
     */
    TensorStream(
            Recipe recipe, GgufWriter writer, boolean hashes, ConversionProgress progress, List<String> notes) {
        this.recipe = recipe;
        this.writer = writer;
        this.hashes = hashes;
        this.progress = progress;
        this.notes = notes;
        int count = recipe.targets().size();
        this.left = new AtomicIntegerArray(count);
        this.ternary = new AtomicReferenceArray<>(count);
        for (int i = 0; i < count; i++) {
            share(i, recipe.targets().get(i));
        }
    }

    private void share(int index, Recipe.Target target) {
        long rows = target.source().rows();
        if (target.codec() != null) {
            share(index, rows, rows);
        } else if (target.copied()) {
            share(index, recipe.layout().tensors().get(index).byteSize(), COPY_SHARE);
        } else {
            share(index, rows, Math.max(1, SHARE / target.source().cols()));
        }
    }

    private void share(int index, long end, long step) {
        for (long from = 0; from < end; from += step) {
            shares.add(new Share(index, from, Math.min(end, from + step)));
            left.incrementAndGet(index);
        }
    }

    List<ConversionReport.Tensor> write(int threads) {
        List<GgufTensor> layout = recipe.layout().tensors();
        long total = layout.stream().mapToLong(GgufTensor::byteSize).sum();
        long[] bytes = {0};
        Workers.run(threads, shares.size(), Worker::new, task -> {
            int index = shares.get(task).index;
            if (left.decrementAndGet(index) == 0) {
                bytes[0] += layout.get(index).byteSize();
                progress.advance(ConversionProgress.Phase.WRITE, layout.get(index).name(), bytes[0], total);
            }
        });
        return report();
    }

    /** In the file's order, whatever the order in which threads were done. */
    private List<ConversionReport.Tensor> report() {
        List<ConversionReport.Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < recipe.targets().size(); i++) {
            Recipe.Target target = recipe.targets().get(i);
            ConversionReport.Ternary summary = ternary.get(i);
            if (summary != null) {
                note(target, summary);
            }
            tensors.add(new ConversionReport.Tensor(
                    target.source().name(),
                    target.source().source(),
                    target.type(),
                    (int) target.source().rows(),
                    (int) target.source().cols(),
                    recipe.layout().tensors().get(i).byteSize(),
                    summary));
        }
        return tensors;
    }

    private void note(Recipe.Target target, ConversionReport.Ternary summary) {
        String name = target.source().name();
        float scale = summary.scale();
        // Below fp16's normal range the scale loses digits: no error, since such a tensor contributes next to nothing.
        double error = Math.abs(summary.storedScale() - scale) / Math.abs(scale);
        if (error > 1.0 / 256) {
            notes.add(name + ": the scale " + scale + " becomes " + summary.storedScale() + " in "
                    + target.type().toString().toLowerCase(Locale.ROOT) + ", which is off by "
                    + String.format(Locale.ROOT, "%.1f %%", 100 * error));
        }
        TernaryCounts counts = summary.counts();
        if (counts.zero() == counts.all()) {
            notes.add(name + ": all weights are zero");
        } else if (counts.zero() == 0) {
            notes.add(name + ": no weight is zero, where absmean gives about 31 %; were the weights made by sign()?");
        }
    }

    /** What one thread has of its own. */
    private final class Worker implements IntConsumer {
        private final FloatEncoder floats = new FloatEncoder(recipe.source());
        private final TernaryEncoder ternaries = new TernaryEncoder(recipe.source(), writer, hashes);
        private final StoredCopy copies = new StoredCopy(recipe.source());

        @Override
        public void accept(int task) {
            Share share = shares.get(task);
            Recipe.Target target = recipe.targets().get(share.index);
            SourceTensor source = target.source();
            if (target.codec() != null) {
                ternary.set(share.index, ternaries.encode(source, target.codec()));
            } else if (target.copied()) {
                copies.copy(source, share.from, share.end, (offset, piece) ->
                        writer.write(source.name(), offset, piece));
            } else {
                floats.encode(source, target.type(), share.from, share.end, (offset, piece) ->
                        writer.write(source.name(), offset, piece));
            }
            writer.digestComplete();
        }
    }
}
