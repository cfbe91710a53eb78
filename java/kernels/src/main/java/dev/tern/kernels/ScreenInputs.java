package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.tern.kernels.ffi.tern_screen_inputs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * Inputs of a screen ({@code tern_screen_inputs} of the C header): tokens as integers of 12 or 7 bits with what a bound
 * of {@link Kernels#screenScores} needs to know of them. With 7 bits scores take half the time where the core is the
 * limit, as with several tokens, and bounds are a little wider. Not thread-safe beyond different tokens.
 */
public final class ScreenInputs {
    private static final int LARGEST_OF_12 = 4063; // of 64 * high + low with high to 63 and low to 31
    private static final int LARGEST_OF_7 = 127;
    private static final int STEP = 64;

    private final MemorySegment high;
    private final MemorySegment low; // of no bytes with 7 bits
    private final MemorySegment sums;
    private final MemorySegment factors;
    private final int tokens;
    private final int cols;
    private final int bits;
    private final long stride;
    private final double[] remainders;
    private final MemorySegment descriptor;

    private ScreenInputs(SegmentAllocator allocator, int tokens, int cols, int bits) {
        this.bits = bits;
        this.stride = (cols + 15L) / 16 * 16;
        this.remainders = new double[tokens];
        this.high = allocator.allocate(Math.multiplyExact(tokens, stride), 64);
        this.low = bits == 12 ? allocator.allocate(Math.multiplyExact(tokens, stride), 64) : MemorySegment.NULL;
        this.sums = allocator.allocate(8L * tokens, 64);
        this.factors = allocator.allocate(16L * tokens, 64);
        this.tokens = tokens;
        this.cols = cols;
        KernelArguments.offHeap("inputs", high, 1);
        descriptor = tern_screen_inputs.allocate(allocator);
        tern_screen_inputs.high(descriptor, high);
        tern_screen_inputs.low(descriptor, low);
        tern_screen_inputs.sums(descriptor, sums);
        tern_screen_inputs.factors(descriptor, factors);
        tern_screen_inputs.stride(descriptor, stride);
    }

    /** Room for {@code tokens} tokens of {@code cols} columns, in 12 or 7 bits. */
    public static ScreenInputs allocate(SegmentAllocator allocator, int tokens, int cols, int bits) {
        if (tokens <= 0 || cols <= 0 || cols > Screen.MAX_COLS || bits != 12 && bits != 7) {
            throw new IllegalArgumentException(tokens + " tokens of " + cols + " columns in " + bits + " bits");
        }
        return new ScreenInputs(allocator, tokens, cols, bits);
    }

    /**
     * Sets a token.
     *
     * <p>With x = unit q + ρ and a row w = step c + r, the logit L that {@link Kernels#floatMatmul} gives and the score
     * S differ by at most
     *
     * <pre>
     * |w x - step unit (c q)|  &lt;=  |r| |x| + |step c| |ρ|
     * |L - w x|                &lt;=  γ |w| |x|             γ = k u / (1 - k u), u = 2^-24, k = ceil(cols / 32) + 5: a
     *                              product passes so many additions (Higham 2002, 3.1); |w| &lt;= |r| + |step c|
     * |S - step unit (c q)|    &lt;=  5 u |step c| y        y = unit (|64 high| + |low|): two conversions and three
     *                              operations, and one more when the bound is added
     * </pre>
     *
     * <p>all norms Euclidean. So the factor of the residual is |x| (1 + γ), that of the norm |ρ| + γ |x| + 8 u y, both
     * enlarged by 2^-20 for the rounding of the bound itself; 2^-120 is more than all that underflow can take.
     *
     * @param x float32; {@code cols} of them from {@code offset} on, in elements
     * @return false, and the token must not be used, where no bound follows: x is zero or tiny, huge, or no number
     */
    public boolean set(int token, MemorySegment x, long offset) {
        long at = token * stride;
        if (token < 0 || token >= tokens) {
            throw new IndexOutOfBoundsException("token " + token + " of " + tokens);
        }
        float max = 0;
        double square = 0;
        for (int i = 0; i < cols; i++) {
            float v = x.getAtIndex(JAVA_FLOAT, offset + i);
            max = Math.max(max, Math.abs(v)); // a NaN stays
            square += (double) v * v;
        }
        if (!(max >= 0x1p-60f && max <= 0x1p60f)) {
            return false;
        }
        float least = Math.nextUp((float) ((double) max / (bits == 12 ? LARGEST_OF_12 : LARGEST_OF_7)));
        double inverse = 1.0 / least;
        double restSquare = 0;
        int highSum = 0;
        int lowSum = 0;
        long highSquare = 0;
        long lowSquare = 0;
        for (int i = 0; i < cols; i++) {
            double v = x.getAtIndex(JAVA_FLOAT, offset + i);
            int q = (int) Math.rint(v * inverse);
            int h = bits == 12 ? q + STEP / 2 >> 6 : q;
            int l = bits == 12 ? q - STEP * h : 0;
            double rest = v - (double) least * q;
            restSquare += rest * rest;
            highSum += h;
            lowSum += l;
            highSquare += h * h;
            lowSquare += l * l;
            high.set(JAVA_BYTE, at + i, (byte) h);
            if (bits == 12) {
                low.set(JAVA_BYTE, at + i, (byte) l);
            }
        }
        float unit = bits == 12 ? least : least / STEP;
        sums.setAtIndex(JAVA_INT, 2L * token, highSum);
        sums.setAtIndex(JAVA_INT, 2L * token + 1, lowSum);
        int k = (cols + 31) / 32 + 5;
        double gamma = k * 0x1p-24 / (1 - k * 0x1p-24);
        double norm = Math.sqrt(square);
        double integers = unit * (STEP * Math.sqrt(highSquare) + Math.sqrt(lowSquare));
        factors.setAtIndex(JAVA_FLOAT, 4L * token, unit);
        factors.setAtIndex(JAVA_FLOAT, 4L * token + 1, above(norm * (1 + gamma)));
        double ofNorm = Math.sqrt(restSquare) + gamma * norm + 0x1p-21 * integers;
        remainders[token] = Math.sqrt(restSquare) / norm;
        factors.setAtIndex(JAVA_FLOAT, 4L * token + 2, above(ofNorm));
        factors.setAtIndex(JAVA_FLOAT, 4L * token + 3, 0x1p-120f);
        return true;
    }

    /** A float that is larger by a part of 2^-20 at least. */
    private static float above(double value) {
        return Math.nextUp((float) (value * (1 + 0x1p-20)));
    }

    /** |ρ| / |x| of a token that has been set: what the integers leave out. */
    public double remainder(int token) {
        return remainders[token];
    }

    /** Tokens there is room for. */
    public int tokens() {
        return tokens;
    }

    /** Columns of a token. */
    public int cols() {
        return cols;
    }

    MemorySegment high() {
        return high;
    }

    /** Of no bytes where the inputs have 7 bits. */
    MemorySegment low() {
        return low;
    }

    MemorySegment sums() {
        return sums;
    }

    MemorySegment factors() {
        return factors;
    }

    long stride() {
        return stride;
    }

    /**
     * The {@code tern_screen_inputs} that C reads. Holds addresses alone: whoever passes it keeps this object
     * reachable.
     */
    MemorySegment descriptor() {
        return descriptor;
    }
}
