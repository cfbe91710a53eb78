package dev.tern.model;

import dev.tern.kernels.Activations;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutTables;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.Projection;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Multiplies packed weights. A few tokens go through tables. For many, rows are unpacked into a member's scratch, some
 * at a time, and multiplied from there, since unpacking once costs less than looking up for each. All memory is
 * allocated once.
 */
final class LutMultiplier {
    /**
     * Tokens from which unpacking pays. On Zen 4, a thread, in G weights/s: look-ups 112 for any batch from 8 on,
     * multiply-add 133 for 32 tokens and 146 for 128, unpacking 20: 32 tokens take as long either way, 128 are a fifth
     * faster unpacked.
     */
    static final int UNPACK_FROM = 48;

    /** Rows unpacked at a time: 2560 columns are 40 KiB then, which stay in L2 while the tokens pass by. */
    private static final int SCRATCH_ROWS = 64;

    private final LutTables tables;
    private final Map<LutWeights, TernaryWeights[]> scratch = new IdentityHashMap<>(); // by member; read-only after that

    /** @param widest columns of the widest matrix */
    LutMultiplier(List<LutWeights> matrices, int batch, int widest, int members, SegmentAllocator memory) {
        tables = LutTables.allocate(memory, Math.min(batch, UNPACK_FROM - 1), widest);
        MemorySegment[] codes = new MemorySegment[members];
        if (batch >= UNPACK_FROM) {
            for (int member = 0; member < members; member++) {
                codes[member] = memory.allocate(SCRATCH_ROWS * TernaryWeights.rowBytes(widest), 64);
            }
            for (LutWeights w : matrices) {
                TernaryWeights[] views = new TernaryWeights[members];
                for (int member = 0; member < members; member++) {
                    views[member] = TernaryWeights.of(memory, codes[member], SCRATCH_ROWS, w.cols(), w.scale());
                }
                scratch.put(w, views);
            }
        }
    }

    /**
     * Tables of quantized tokens [begin, end) of a batch of {@code tokens}, where the projection is looked up in them.
     */
    void buildTables(Projection first, Activations a, int tokens, int begin, int end) {
        if (first instanceof LutWeights w && tokens < UNPACK_FROM) {
            w.kernels().buildTables(w.shape().format(), a, begin, end, tables);
        }
    }

    /** Rows [from, to), multiples of 32, of all tokens. */
    void multiply(
            int member, LutWeights w, Kernels kernels, Activations a, int tokens, int from, int to, MemorySegment y) {
        if (tokens < UNPACK_FROM) {
            w.kernels().matmul(w, a, tables, tokens, from, to, y, w.rows());
            return;
        }
        TernaryWeights rows = scratch.get(w)[member];
        for (int row = from; row < to; row += SCRATCH_ROWS) {
            int n = Math.min(SCRATCH_ROWS, to - row);
            w.kernels().unpack(w, row, row + n, rows.codes());
            kernels.ternaryMatmul(rows, a, tokens, 0, n, y.asSlice(4L * row), w.rows());
        }
    }
}
