package dev.tern.model;

import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.HugePages;
import dev.tern.kernels.Screen;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The screen of a head: when it is made, in how many bits, a part at a time, and its memory. It has four bits a weight
 * where the most likely token alone is wanted, until that has failed a few times in a row, and else six. While it spares
 * the head, the head's pages are given back where they are a file's. Called between passes; not thread-safe.
 */
final class ScreenStore {
    private static final long AUTO_WEIGHTS = 1 << 25;
    private static final int AUTO_TOKENS = 24; // about as many as it takes to win back the time of packing
    private static final int AUTO_SLICES = 16; // of the packing, one a pass, so that no token takes long
    private static final int MOST_FAILURES = 4; // of four bits, in a row
    private static final int SPARED_BEFORE_RELEASE = 32;

    private final HeadScreen setting;
    private final FloatWeights head;
    private final int rows;
    private boolean possible;
    private int seen; // tokens it could have served
    private @Nullable Screen screen;
    private @Nullable Arena memory; // shared, so that it can be freed: there are a few calls with it a pass
    private int bits;
    private int packed; // rows
    private int packEnd; // rows after the pass at hand
    private int failures;
    private int sparedInARow;

    ScreenStore(HeadScreen setting, FloatWeights head, Tier tier) {
        this.setting = setting;
        this.head = head;
        this.rows = head.rows();
        this.possible = setting != HeadScreen.OFF
                && head.cols() <= Screen.MAX_COLS
                && (setting == HeadScreen.ON || hasKernels(tier) && (long) rows * head.cols() >= AUTO_WEIGHTS);
    }

    /** Whether a tier screens faster than it multiplies: with kernels of its own, which those of x86-64 have. */
    private static boolean hasKernels(Tier tier) {
        return switch (tier) {
            case AVX2, AVXVNNI, AVX512VNNI, AMX -> true;
            case JAVA, SCALAR, NEON, NEONDOT -> false;
        };
    }

    /**
     * Decides how much of it a pass packs.
     *
     * @param wanted how many of the largest logits the pass computes
     * @param count of how many tokens
     * @return whether there is a screen, or a part of one, after the pass
     */
    boolean plan(int wanted, int count) {
        if (!possible) {
            return false;
        }
        packEnd = rows;
        if (packed == rows) {
            return true;
        }
        if (setting == HeadScreen.AUTO) {
            seen += count;
            if (seen <= AUTO_TOKENS) {
                packEnd = packed;
                return false;
            }
            int slice = Math.ceilDiv(Math.ceilDiv(rows, Screen.PANEL_ROWS), AUTO_SLICES) * Screen.PANEL_ROWS;
            packEnd = Math.min(rows, packed + slice);
        }
        return screen != null || allocate(firstBits(wanted));
    }

    /**
     * Bits of a weight of a first screen. In four, the most likely token of a trained head is found; forty, and the
     * rows of a random head, are told apart in six: still less than a head of blocks has, and integers alone.
     */
    private int firstBits(int wanted) {
        return head.type().isPlain() || wanted > 1 ? 6 : 4;
    }

    /** Makes room for the screen; where there is none, the head does without. */
    private boolean allocate(int screenBits) {
        Arena arena = Arena.ofShared();
        try {
            screen = Screen.allocate(
                    (bytes, alignment) -> bytes < HugePages.PAGE
                            ? arena.allocate(bytes, alignment)
                            : HugePages.allocate(arena, bytes),
                    rows,
                    head.cols(),
                    screenBits);
            memory = arena;
            bits = screenBits;
        } catch (OutOfMemoryError e) {
            arena.close();
            possible = false;
        }
        return possible;
    }

    /** The screen that {@link #plan} has found or made. */
    Screen screen() {
        return Objects.requireNonNull(screen);
    }

    /** Rows that are packed. */
    int packed() {
        return packed;
    }

    /** Rows that are packed after the pass at hand. */
    int packEnd() {
        return packEnd;
    }

    /** Whether the pass at hand packs a part. */
    boolean packs() {
        return packed < packEnd;
    }

    /** Whether it is whole in the pass at hand. */
    boolean isWhole() {
        return packEnd == rows;
    }

    /** Bytes it takes now. */
    long bytes() {
        return screen == null ? 0 : Screen.byteSize(rows, head.cols(), bits);
    }

    /** The pass has packed what was planned. */
    void packedAsPlanned() {
        packed = packEnd;
    }

    /**
     * What came of a pass that screened.
     *
     * @param spared whether most of the head was spared
     * @return whether another screen, still to be packed, takes the place of this one
     */
    boolean judge(boolean spared) {
        failures = spared ? 0 : failures + 1;
        sparedInARow = spared ? sparedInARow + 1 : 0;
        if (sparedInARow == SPARED_BEFORE_RELEASE && head.values().isMapped()) {
            head.values().unload(); // of the file's pages a few are still needed, and come back when they are
        }
        if (bits != 4 || failures < MOST_FAILURES) {
            return false;
        }
        discard();
        failures = 0;
        allocate(6);
        return true;
    }

    private void discard() {
        screen = null;
        packed = 0;
        packEnd = 0;
        Arena arena = memory;
        memory = null;
        if (arena != null) {
            arena.close();
        }
    }

    /** Frees it; no pass may follow that uses it. */
    void close() {
        possible = false;
        discard();
    }
}
