package dev.tern.model;

import dev.tern.kernels.Activations;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * Memory of a forward pass, allocated once: float32 {@code [batch][width]} unless said otherwise. A pass over few
 * tokens touches the first rows of each alone, so that in {@link dev.tern.kernels.DemandPages} it takes what those
 * need.
 */
final class Scratch {
    final int hidden;
    final int intermediate;
    final int queries; // width of all query heads together
    final int pairs; // width of all key (or value) heads together
    final int widest; // columns of the widest matrix

    final MemorySegment x; // hidden: the residual stream
    final MemorySegment delta; // hidden: what the last sub-layer adds to it
    final MemorySegment normed; // widest
    final Activations quantized;
    final MemorySegment q; // queries
    final MemorySegment k; // pairs
    final MemorySegment v; // pairs
    final MemorySegment mixed; // queries: the attention's output
    final MemorySegment gate; // intermediate
    final MemorySegment up; // intermediate

    Scratch(ModelHyperparameters model, int batch, SegmentAllocator memory) {
        hidden = model.hiddenSize();
        intermediate = model.intermediateSize();
        queries = Math.multiplyExact(model.heads(), model.headDim());
        pairs = Math.multiplyExact(model.kvHeads(), model.headDim());
        widest = Math.max(Math.max(hidden, queries), intermediate);
        x = floats(memory, batch, hidden);
        delta = floats(memory, batch, hidden);
        normed = floats(memory, batch, widest);
        quantized = Activations.allocate(memory, batch, widest);
        q = floats(memory, batch, queries);
        k = floats(memory, batch, pairs);
        v = floats(memory, batch, pairs);
        mixed = floats(memory, batch, queries);
        gate = floats(memory, batch, intermediate);
        up = floats(memory, batch, intermediate);
    }

    private static MemorySegment floats(SegmentAllocator memory, int batch, int width) {
        return memory.allocate(Math.multiplyExact(4L * batch, (long) width), 64);
    }

    /** Moves the tokens of a view, of the residual stream and of the attention's output, to the front. */
    void moveToFront(SpanView view) {
        for (int s = 0; s < view.spans(); s++) {
            moveToFront(x, hidden, view.row(s), view.index(s), view.count(s));
            moveToFront(mixed, queries, view.row(s), view.index(s), view.count(s));
        }
    }

    private static void moveToFront(MemorySegment values, int width, int from, int to, int count) {
        MemorySegment.copy(values, 4L * from * width, values, 4L * to * width, 4L * count * width);
    }
}
