package dev.tern.kernels;

import java.lang.foreign.MemorySegment;

/**
 * The kernels, one method for each entry of {@code TERN_KERNEL_TABLE} in {@code tern_kernels.h}, which defines them to
 * the bit, the order of every float sum included. Implementations give identical results.
 *
 * <p>Segments are off-heap and hold float32 elements, 4-byte aligned, unless said otherwise; strides and offsets count
 * elements. Every method checks before anything is read or written: ranges that leave a segment give an
 * {@link IndexOutOfBoundsException}; heap, read-only or misaligned memory, overlapping tokens and impossible counts an
 * {@link IllegalArgumentException}; memory of a closed arena an {@link IllegalStateException}; memory confined to
 * another thread a {@link WrongThreadException}. What may overlap is said; nothing else may.
 *
 * <p>Thread-safe: calls that write disjoint ranges may run at once. No method allocates memory that lives longer than
 * the call. Memory from {@link java.lang.foreign.Arena#ofAuto} or {@link java.lang.foreign.Arena#global} costs a call
 * nothing; memory of a shared arena some 200 ns as soon as two threads call at once.
 */
public interface Kernels {
    /** The bytes that {@link #memoryRead} takes come in multiples of this. */
    int READ_UNIT = 256;

    /** The repetitions of {@link #dotPeak} come in multiples of this. */
    int PEAK_UNIT = 1536;

    /** Who computes. */
    Tier tier();

    /**
     * Quantizes tokens {@code [tokenBegin, tokenEnd)} of {@code x} ({@code [tokens][xStride]}, {@code cols} used) to
     * int8 by absmax.
     */
    void quantize(MemorySegment x, long xStride, int cols, int tokenBegin, int tokenEnd, Activations out);

    /**
     * {@code y[t * yStride + row] = (float) (sum of T * a) * (scale / r[t])} for tokens {@code [0, tokens)} and rows
     * {@code [rowBegin, rowEnd)}.
     */
    void ternaryMatmul(
            TernaryWeights w, Activations a, int tokens, int rowBegin, int rowEnd, MemorySegment y, long yStride);

    /**
     * Packs rows {@code [rowBegin, rowEnd)} of {@code w}, which lies in panels, from their codes in
     * {@link TernaryLayout#ROWS}, {@code rowBegin}'s first byte at the segment's start. A code 3 gives some other code.
     *
     * @param rowBegin a multiple of 32
     * @param rowEnd a multiple of 32 or the number of rows
     */
    void ternaryPack(MemorySegment codes, int rowBegin, int rowEnd, TernaryWeights w);

    /** The codes of rows {@code [rowBegin, rowEnd)} in {@link TernaryLayout#ROWS}, from the segment's start on. */
    void ternaryUnpack(TernaryWeights w, int rowBegin, int rowEnd, MemorySegment codes);

    /**
     * Decodes rows of a ternary matrix, as a file stores them, into {@link TernaryLayout#ROWS}.
     *
     * @param in the first row's first byte, the others following; may be read-only and at any address
     * @param cols a multiple of the encoding's block
     * @param scale s of the matrix, finite
     * @param codes where the first row goes, {@code rows *} {@link TernaryWeights#rowBytes} bytes
     * @return the first of the rows that is none of {@code scale * T}, or -1; from that row on the codes are undefined
     */
    int ternaryDecode(
            TernaryEncoding encoding, MemorySegment in, int rows, int cols, float scale, MemorySegment codes);

    /**
     * {@code y[t * yStride + row] = dot(w[row], x[t])} for tokens {@code [0, tokens)}, rows {@code [rowBegin, rowEnd)}.
     */
    void floatMatmul(
            FloatWeights w,
            MemorySegment x,
            long xStride,
            int tokens,
            int rowBegin,
            int rowEnd,
            MemorySegment y,
            long yStride);

    /** Widens row {@code row} of {@code m} into {@code y[yOffset .. yOffset + cols)}. */
    void floatRow(FloatWeights m, int row, MemorySegment y, long yOffset);

    /**
     * RMSNorm of tokens {@code [tokenBegin, tokenEnd)}; {@code y} may be {@code x}. {@code weight} has {@code cols}
     * floats.
     */
    void rmsNorm(
            MemorySegment x,
            long xStride,
            MemorySegment weight,
            float eps,
            int cols,
            int tokenBegin,
            int tokenEnd,
            MemorySegment y,
            long yStride);

    /**
     * Rotates in place {@code heads} heads of tokens {@code [tokenBegin, tokenEnd)}; token t has position
     * {@code position + t}.
     */
    void rope(
            MemorySegment x,
            long xStride,
            int heads,
            int headDim,
            RopeTable table,
            int position,
            int tokenBegin,
            int tokenEnd);

    /**
     * Stores keys and values ({@code [tokens][stride]}) of tokens {@code [tokenBegin, tokenEnd)} at
     * {@code position + t}.
     */
    void storeKv(KvLayer kv, MemorySegment k, MemorySegment v, long stride, int position, int tokenBegin, int tokenEnd);

    /**
     * Causal attention for items {@code [itemBegin, itemEnd)}, item = t * heads + head. {@code scores} is scratch of at
     * least {@link KvLayer#attentionScores}{@code (itemEnd - itemBegin, position + t + 1)} floats for the largest t;
     * threads need their own.
     */
    void attention(
            KvLayer kv,
            MemorySegment q,
            long qStride,
            int heads,
            int position,
            int itemBegin,
            int itemEnd,
            float scale,
            MemorySegment scores,
            MemorySegment out,
            long outStride);

    /** Softmax in place over the first {@code n >= 1} floats of {@code x}. */
    void softmax(MemorySegment x, int n);

    /** {@code out = max(gate, 0)^2 * up} over elements {@code [offset, offset + n)}; {@code out} may be an operand. */
    void reluSquaredGate(MemorySegment gate, MemorySegment up, MemorySegment out, long offset, long n);

    /** {@code out = silu(gate) * up} over elements {@code [offset, offset + n)}; {@code out} may be an operand. */
    void siluGate(MemorySegment gate, MemorySegment up, MemorySegment out, long offset, long n);

    /** {@code x += y} over elements {@code [offset, offset + n)}. */
    void add(MemorySegment x, MemorySegment y, long offset, long n);

    /** Index of the first byte of packed 2-bit codes that holds a code 3, or -1. */
    long findInvalidCode(MemorySegment codes);

    /**
     * Packs rows {@code [rowBegin, rowEnd)} of a matrix into a screen of the same shape.
     *
     * @param rowBegin a multiple of 32
     * @param rowEnd a multiple of 32 or the number of rows
     */
    void screenPack(FloatWeights w, int rowBegin, int rowEnd, Screen out);

    /**
     * Approximations and upper bounds of the products of rows {@code [rowBegin, rowEnd)} with tokens
     * {@code [0, tokens)}, and the largest of each panel of 32 rows.
     *
     * @param rowBegin a multiple of 32
     * @param rowEnd a multiple of 32 or the number of rows
     */
    void screenScores(Screen s, ScreenInputs x, int tokens, int rowBegin, int rowEnd, ScreenScores out);

    /**
     * Lists the rows of {@code [rowBegin, rowEnd)}, in their order, whose upper bound, and whose panel's, reaches the
     * threshold of one of tokens {@code [0, tokens)} or more, with these tokens as their mask.
     *
     * @param s bounds that {@link #screenScores} has written for these rows and tokens
     * @param thresholds a float32 for each token; NaN is reached by nothing
     * @param tokens at most {@link ListedRows#MAX_TOKENS}
     * @param rowBegin a multiple of 32
     * @param rowEnd a multiple of 32 or the number of rows
     * @param out from its first entry on, with room for {@code rowEnd - rowBegin}
     * @return how many entries of {@code out} were written
     */
    int screenSelect(
            ScreenScores s, MemorySegment thresholds, int tokens, int rowBegin, int rowEnd, ListedRows out);

    /**
     * {@code y[t * yStride + row] = dot(w[row], x[t])} for the first {@code count} rows of a list and the tokens t of
     * each one's mask, with the bits of {@link #floatMatmul}; nothing else is written.
     *
     * @param tokens of {@code x} and {@code y}, at most {@link ListedRows#MAX_TOKENS}; masks have no others
     */
    void floatMatmulRows(
            FloatWeights w,
            MemorySegment x,
            long xStride,
            int tokens,
            ListedRows rows,
            int count,
            MemorySegment y,
            long yStride);

    /**
     * Reads memory from its first byte to its last and does nothing else: for measuring how fast memory can be read.
     *
     * @param x a multiple of {@link #READ_UNIT} bytes at a multiple of 64; may be read-only
     * @return the sum of its little-endian 64-bit words, modulo 2^64
     */
    long memoryRead(MemorySegment x);

    /**
     * Makes and adds {@code 64 * n} products of bytes in registers, with the instructions that products of many tokens
     * are made with: for measuring how fast they are. {@code sums[i] = n * (sum over j < 4 of codes[4 * i + j] *
     * values[j])} modulo 2^32 for i below 16. The Java reference gives the result alone.
     *
     * @param codes 64 bytes from 0 to 2
     * @param values 4 int8
     * @param n at least 0, a multiple of {@link #PEAK_UNIT}
     * @param sums 16 int32
     */
    void dotPeak(MemorySegment codes, MemorySegment values, long n, MemorySegment sums);
}
