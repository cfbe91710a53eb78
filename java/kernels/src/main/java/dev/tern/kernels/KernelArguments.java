package dev.tern.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What every implementation of {@link Kernels} checks before it touches memory, so that all of them refuse the same
 * arguments with the same words: ranges against sizes (overflow-safe), alignment to the element, off-heap and writable
 * memory, and that the memory is still there. C checks nothing; what passes here cannot make it leave its arguments.
 *
 * <p>Sizes, ranges: {@link IndexOutOfBoundsException}. Strides, counts, alignment, heap or read-only memory:
 * {@link IllegalArgumentException}. A closed arena: {@link IllegalStateException}. Another thread's confined arena:
 * {@link WrongThreadException}.
 */
final class KernelArguments {
    private KernelArguments() {}

    static void quantize(MemorySegment x, long xStride, int cols, int tokenBegin, int tokenEnd, Activations out) {
        positive("cols", cols);
        range("tokens", tokenBegin, tokenEnd, out.tokens());
        if (cols > out.stride()) {
            throw new IllegalArgumentException(
                    "out: room for " + out.stride() + " columns a token, but " + cols + " are to be quantized");
        }
        accessible("out", out.values(), out.descriptor());
        tokens("x", x, xStride, cols, tokenEnd);
        floats("x", x);
    }

    static void ternaryMatmul(
            TernaryWeights w, Activations a, int tokens, int rowBegin, int rowEnd, MemorySegment y, long yStride) {
        range("tokens", 0, tokens, a.tokens());
        range("rows", rowBegin, rowEnd, w.rows());
        if (tokens > 0 && a.cols() != w.cols()) {
            throw new IllegalArgumentException(
                    "a: quantized with " + a.cols() + " columns, but the matrix has " + w.cols());
        }
        accessible("w", w.codes(), w.descriptor());
        accessible("a", a.values(), a.descriptor());
        tokens("y", y, yStride, rowEnd, tokens);
        writableFloats("y", y);
    }

    static void ternaryPack(MemorySegment codes, int rowBegin, int rowEnd, TernaryWeights w) {
        int unit = w.layout().panelRows();
        range("rows", rowBegin, rowEnd, w.rows());
        if (unit == 1 || rowBegin % unit != 0 || rowEnd % unit != 0 && rowEnd != w.rows()) {
            throw new IllegalArgumentException(
                    "rows: [" + rowBegin + ", " + rowEnd + ") of " + w.rows() + " are no whole panels of "
                            + w.layout());
        }
        rows("codes", codes, rowEnd - rowBegin, w.cols());
        accessible("w", w.codes(), w.descriptor());
        writable("w", w.codes());
    }

    static void ternaryUnpack(TernaryWeights w, int rowBegin, int rowEnd, MemorySegment codes) {
        range("rows", rowBegin, rowEnd, w.rows());
        accessible("w", w.codes(), w.descriptor());
        rows("codes", codes, rowEnd - rowBegin, w.cols());
        writable("codes", codes);
    }

    static void ternaryDecode(
            TernaryEncoding encoding, MemorySegment in, int rows, int cols, float scale, MemorySegment codes) {
        positive("cols", cols);
        range("rows", 0, rows, Integer.MAX_VALUE);
        if (cols % encoding.blockSize() != 0) {
            throw new IllegalArgumentException(
                    "cols: " + cols + " are no whole blocks of " + encoding + ", which have " + encoding.blockSize());
        }
        if (!Float.isFinite(scale)) {
            throw new IllegalArgumentException("scale: " + scale + ", expected a finite number");
        }
        offHeap("in", in, 1);
        accessible("in", in);
        if (rows > in.byteSize() / encoding.rowBytes(cols)) {
            throw new IndexOutOfBoundsException("in: " + rows + " rows of " + cols + " columns as " + encoding
                    + ", but it holds " + in.byteSize() + " bytes");
        }
        rows("codes", codes, rows, cols);
        writable("codes", codes);
    }

    /** Rows of packed codes in {@link TernaryLayout#ROWS}. */
    private static void rows(String name, MemorySegment codes, int rows, int cols) {
        offHeap(name, codes, 1);
        accessible(name, codes);
        long bytes = rows * TernaryWeights.rowBytes(cols);
        if (bytes > codes.byteSize()) {
            throw new IndexOutOfBoundsException(
                    name + ": " + rows + " rows of " + cols + " columns, but it holds " + codes.byteSize() + " bytes");
        }
    }

    static void floatMatmul(
            FloatWeights w,
            MemorySegment x,
            long xStride,
            int tokens,
            int rowBegin,
            int rowEnd,
            MemorySegment y,
            long yStride) {
        range("rows", rowBegin, rowEnd, w.rows());
        range("tokens", 0, tokens, Integer.MAX_VALUE);
        accessible("w", w.values(), w.descriptor());
        tokens("x", x, xStride, w.cols(), tokens);
        floats("x", x);
        tokens("y", y, yStride, rowEnd, tokens);
        writableFloats("y", y);
    }

    static void floatRow(FloatWeights m, int row, MemorySegment y, long yOffset) {
        if (row < 0 || row >= m.rows()) {
            throw new IndexOutOfBoundsException("row " + row + " of " + m.rows());
        }
        accessible("m", m.values(), m.descriptor());
        elements("y", y, yOffset, m.cols());
        writableFloats("y", y);
    }

    static void rmsNorm(
            MemorySegment x,
            long xStride,
            MemorySegment weight,
            int cols,
            int tokenBegin,
            int tokenEnd,
            MemorySegment y,
            long yStride) {
        positive("cols", cols);
        range("tokens", tokenBegin, tokenEnd, Integer.MAX_VALUE);
        tokens("x", x, xStride, cols, tokenEnd);
        floats("x", x);
        elements("weight", weight, 0, cols);
        floats("weight", weight);
        tokens("y", y, yStride, cols, tokenEnd);
        writableFloats("y", y);
    }

    static void rope(
            MemorySegment x,
            long xStride,
            int heads,
            int headDim,
            RopeTable table,
            int position,
            int tokenBegin,
            int tokenEnd) {
        positive("heads", heads);
        positive("headDim", headDim);
        if (table.dims() > headDim) {
            throw new IllegalArgumentException(
                    "table: rotates " + table.dims() + " elements of a head that has " + headDim);
        }
        positions(position, tokenBegin, tokenEnd, table.positions());
        accessible("table", table.cosines());
        accessible("table", table.sines(), table.descriptor());
        tokens("x", x, xStride, (long) heads * headDim, tokenEnd);
        writableFloats("x", x);
    }

    static void storeKv(
            KvLayer kv, MemorySegment k, MemorySegment v, long stride, int position, int tokenBegin, int tokenEnd) {
        positions(position, tokenBegin, tokenEnd, kv.capacity());
        accessible("kv", kv.keys());
        accessible("kv", kv.values(), kv.descriptor());
        long width = (long) kv.kvHeads() * kv.headDim();
        tokens("k", k, stride, width, tokenEnd);
        floats("k", k);
        tokens("v", v, stride, width, tokenEnd);
        floats("v", v);
    }

    static void attention(
            KvLayer kv,
            MemorySegment q,
            long qStride,
            int heads,
            int position,
            int itemBegin,
            int itemEnd,
            MemorySegment scores,
            MemorySegment out,
            long outStride) {
        positive("heads", heads);
        if (heads % kv.kvHeads() != 0) {
            throw new IllegalArgumentException(heads + " heads are no multiple of " + kv.kvHeads() + " key heads");
        }
        range("items", itemBegin, itemEnd, Integer.MAX_VALUE);
        int tokenEnd = itemEnd == 0 ? 0 : (itemEnd - 1) / heads + 1;
        positions(position, 0, tokenEnd, kv.capacity());
        accessible("kv", kv.keys());
        accessible("kv", kv.values(), kv.descriptor());
        long width = (long) heads * kv.headDim();
        tokens("q", q, qStride, width, tokenEnd);
        floats("q", q);
        elements("scores", scores, 0, KvLayer.attentionScores(itemEnd - itemBegin, position + tokenEnd));
        writableFloats("scores", scores);
        tokens("out", out, outStride, width, tokenEnd);
        writableFloats("out", out);
    }

    static void softmax(MemorySegment x, int n) {
        positive("n", n);
        elements("x", x, 0, n);
        writableFloats("x", x);
    }

    static void gate(MemorySegment gate, MemorySegment up, MemorySegment out, long offset, long n) {
        elements("gate", gate, offset, n);
        floats("gate", gate);
        elements("up", up, offset, n);
        floats("up", up);
        elements("out", out, offset, n);
        writableFloats("out", out);
    }

    static void add(MemorySegment x, MemorySegment y, long offset, long n) {
        elements("x", x, offset, n);
        writableFloats("x", x);
        elements("y", y, offset, n);
        floats("y", y);
    }

    static void findInvalidCode(MemorySegment codes) {
        offHeap("codes", codes, 1);
        accessible("codes", codes);
    }

    static void screenPack(FloatWeights w, int rowBegin, int rowEnd, Screen out) {
        if (w.rows() != out.rows() || w.cols() != out.cols()) {
            throw new IllegalArgumentException("out: a screen of " + out.rows() + " x " + out.cols() + ", but w is "
                    + w.rows() + " x " + w.cols());
        }
        panels(rowBegin, rowEnd, out.rows());
        accessible("w", w.values(), w.descriptor());
        accessible("out", out.codes(), out.descriptor());
    }

    static void screenScores(Screen s, ScreenInputs x, int tokens, int rowBegin, int rowEnd, ScreenScores out) {
        range("tokens", 0, tokens, Math.min(x.tokens(), out.tokens()));
        panels(rowBegin, rowEnd, s.rows());
        if (x.cols() != s.cols()) {
            throw new IllegalArgumentException("x: " + x.cols() + " columns, but the screen has " + s.cols());
        }
        if (out.rows() != s.rows()) {
            throw new IllegalArgumentException("out: for " + out.rows() + " rows, but the screen has " + s.rows());
        }
        accessible("s", s.codes(), s.descriptor());
        accessible("x", x.high(), x.descriptor());
        accessible("out", out.scores(), out.descriptor());
    }

    static void screenSelect(
            ScreenScores s, MemorySegment thresholds, int tokens, int rowBegin, int rowEnd, ListedRows out) {
        range("tokens", 0, tokens, Math.min(s.tokens(), ListedRows.MAX_TOKENS));
        panels(rowBegin, rowEnd, s.rows());
        accessible("s", s.uppers(), s.descriptor());
        elements("thresholds", thresholds, 0, tokens);
        floats("thresholds", thresholds);
        accessible("out", out.rows(), out.masks());
        writable("out", out.rows());
        if (rowEnd - rowBegin > out.room()) {
            throw new IndexOutOfBoundsException(
                    "out: room for " + out.room() + " of " + (rowEnd - rowBegin) + " rows that may be listed");
        }
    }

    static void floatMatmulRows(
            FloatWeights w,
            MemorySegment x,
            long xStride,
            int tokens,
            ListedRows rows,
            int count,
            MemorySegment y,
            long yStride) {
        range("tokens", 0, tokens, ListedRows.MAX_TOKENS);
        range("entries", 0, count, rows.room());
        accessible("w", w.values(), w.descriptor());
        accessible("rows", rows.rows(), rows.masks());
        int first = 0;
        int last = -1;
        int masks = 0;
        for (int i = 0; i < count; i++) {
            int row = rows.row(i);
            first = Math.min(first, row);
            last = Math.max(last, row);
            masks |= rows.mask(i);
        }
        range("rows", first, last + 1, w.rows());
        if (tokens < ListedRows.MAX_TOKENS && masks >>> tokens != 0) {
            throw new IndexOutOfBoundsException("rows: with token "
                    + (Integer.SIZE - 1 - Integer.numberOfLeadingZeros(masks)) + " of " + tokens);
        }
        tokens("x", x, xStride, w.cols(), tokens);
        floats("x", x);
        tokens("y", y, yStride, last + 1L, tokens);
        writableFloats("y", y);
    }

    static void memoryRead(MemorySegment x) {
        offHeap("x", x, 64);
        accessible("x", x);
        if (x.byteSize() % Kernels.READ_UNIT != 0) {
            throw new IllegalArgumentException(
                    "x: " + x.byteSize() + " bytes are no multiple of " + Kernels.READ_UNIT);
        }
    }

    static void dotPeak(MemorySegment codes, MemorySegment values, long n, MemorySegment sums) {
        offHeap("codes", codes, 1);
        accessible("codes", codes);
        room("codes", codes, 64);
        offHeap("values", values, 1);
        accessible("values", values);
        room("values", values, 4);
        offHeap("sums", sums, Integer.BYTES);
        accessible("sums", sums);
        writable("sums", sums);
        room("sums", sums, 16 * Integer.BYTES);
        if (n < 0 || n % Kernels.PEAK_UNIT != 0) {
            throw new IllegalArgumentException("n: " + n + " is no multiple of " + Kernels.PEAK_UNIT + " from 0 on");
        }
        for (int i = 0; i < 64; i++) {
            byte code = codes.get(ValueLayout.JAVA_BYTE, i);
            if (code < 0 || code > 2) {
                throw new IllegalArgumentException("codes: " + code + ", expected 0, 1 or 2");
            }
        }
    }

    private static void room(String name, MemorySegment segment, int bytes) {
        if (segment.byteSize() < bytes) {
            throw new IndexOutOfBoundsException(
                    name + ": " + segment.byteSize() + " bytes, but " + bytes + " are needed");
        }
    }

    private static void panels(int rowBegin, int rowEnd, int rows) {
        range("rows", rowBegin, rowEnd, rows);
        if (rowBegin % Screen.PANEL_ROWS != 0 || rowEnd % Screen.PANEL_ROWS != 0 && rowEnd != rows) {
            throw new IllegalArgumentException(
                    "rows: [" + rowBegin + ", " + rowEnd + ") of " + rows + " are no whole panels of a screen");
        }
    }

    /**
     * For memory that lives in a descriptor: C gets its address alone, so it must not lie in a heap array or crooked.
     */
    static void offHeap(String name, MemorySegment segment, int alignment) {
        if (!segment.isNative()) {
            throw new IllegalArgumentException(name + ": heap memory; kernels take off-heap memory");
        }
        if ((segment.address() & (alignment - 1)) != 0) {
            throw new IllegalArgumentException(
                    name + ": address 0x" + Long.toHexString(segment.address()) + " is no multiple of " + alignment);
        }
    }

    /** Alive, and not confined to another thread. */
    static void accessible(String name, MemorySegment segment) {
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException(name + ": used after its arena was closed");
        }
        if (!segment.isAccessibleBy(Thread.currentThread())) {
            throw new WrongThreadException(name + ": confined to another thread");
        }
    }

    static void accessible(String name, MemorySegment memory, MemorySegment descriptor) {
        accessible(name, memory);
        accessible(name, descriptor);
    }

    static void writable(String name, MemorySegment segment) {
        if (segment.isReadOnly()) {
            throw new IllegalArgumentException(name + ": read-only memory cannot take a result");
        }
    }

    private static void floats(String name, MemorySegment segment) {
        offHeap(name, segment, Float.BYTES);
        accessible(name, segment);
    }

    static void writableFloats(String name, MemorySegment segment) {
        floats(name, segment);
        writable(name, segment);
    }

    private static void positive(String name, int value) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + ": " + value + ", expected a positive number");
        }
    }

    static void range(String name, int begin, int end, int limit) {
        if (begin < 0 || end < begin || end > limit) {
            throw new IndexOutOfBoundsException(
                    name + ": [" + begin + ", " + end + ") is no part of [0, " + limit + ")");
        }
    }

    private static void positions(int position, int tokenBegin, int tokenEnd, int limit) {
        range("tokens", tokenBegin, tokenEnd, Integer.MAX_VALUE);
        if (position < 0 || (long) position + tokenEnd > limit) {
            throw new IndexOutOfBoundsException(
                    "position " + position + " and " + tokenEnd + " tokens do not fit in " + limit + " positions");
        }
    }

    /** {@code count} floats from element {@code offset} on. */
    private static void elements(String name, MemorySegment segment, long offset, long count) {
        long size = segment.byteSize() / Float.BYTES;
        if (offset < 0 || count < 0 || count > size - offset) {
            throw new IndexOutOfBoundsException(
                    name + ": " + count + " floats from " + offset + " on, but it holds " + size);
        }
    }

    /** Tokens {@code [0, tokens)} of {@code width} floats, {@code stride} apart. */
    static void tokens(String name, MemorySegment segment, long stride, long width, int tokens) {
        if (stride < 0 || stride < width && tokens > 1) {
            throw new IllegalArgumentException(name + ": stride " + stride + " is less than a token's " + width);
        }
        if (tokens == 0) {
            return;
        }
        long last = tokens - 1L;
        long start = last * stride;
        long size = segment.byteSize() / Float.BYTES;
        if (Math.multiplyHigh(last, stride) != 0 || start < 0 || width > size - start) {
            throw new IndexOutOfBoundsException(name + ": " + tokens + " tokens of " + width + " floats, " + stride
                    + " apart, but it holds " + size);
        }
    }
}
