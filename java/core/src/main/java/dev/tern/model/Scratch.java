package dev.tern.model;

import dev.tern.kernels.Activations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory of a forward pass, allocated once: float32 {@code [batch][width]} unless said otherwise. */
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

    Scratch(ModelHyperparameters model, int batch, Arena arena) {
        hidden = model.hiddenSize();
        intermediate = model.intermediateSize();
        queries = Math.multiplyExact(model.heads(), model.headDim());
        pairs = Math.multiplyExact(model.kvHeads(), model.headDim());
        widest = Math.max(Math.max(hidden, queries), intermediate);
        x = floats(arena, batch, hidden);
        delta = floats(arena, batch, hidden);
        normed = floats(arena, batch, widest);
        quantized = Activations.allocate(arena, batch, widest);
        q = floats(arena, batch, queries);
        k = floats(arena, batch, pairs);
        v = floats(arena, batch, pairs);
        mixed = floats(arena, batch, queries);
        gate = floats(arena, batch, intermediate);
        up = floats(arena, batch, intermediate);
    }

    private static MemorySegment floats(Arena arena, int batch, int width) {
        return arena.allocate(Math.multiplyExact(4L * batch, (long) width), 64);
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
