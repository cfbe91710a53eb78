package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_kernels_h;
import dev.tern.kernels.ffi.tern_lut_kernels;
import dev.tern.kernels.ffi.tern_lut_shape;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The look-up-table kernels of one path of one library ({@code tern_lut_kernels} of the C header): of libtern, which serves
 * the published models, or of a library that was generated beside it. Checks arguments as {@link Kernels} does, with the same
 * exceptions. Immutable and thread-safe; a library stays loaded for the life of the process.
 */
public final class LutKernels {
    /** More than any plan has: a wrong library must not make us read on for ever. */
    private static final long MAX_SHAPES = 1 << 16;

    private static final int HASH_DIGITS = 64;

    private final Path library;
    private final LutPath path;
    private final String plan;
    private final List<LutShape> shapes;
    private final Map<LutShape, Integer> indexes = new HashMap<>();
    private final MemorySegment buildTables;
    private final MemorySegment matmul;
    private final MemorySegment unpack;

    /**
     * @param table a {@code tern_lut_kernels} that lives as long as the process
     * @throws KernelUnavailableException when it contradicts itself
     */
    LutKernels(Path library, LutPath path, MemorySegment table) {
        this.library = library;
        this.path = path;
        long count = tern_lut_kernels.shape_count(table);
        if (tern_lut_kernels.path(table) != path.code() || count <= 0 || count > MAX_SHAPES) {
            throw damaged(library, path, "it is of path " + tern_lut_kernels.path(table) + " and has " + count + " shapes");
        }
        try {
            this.plan = tern_lut_kernels.plan(table).reinterpret(HASH_DIGITS + 1).getString(0);
            this.shapes = shapes(tern_lut_kernels.shapes(table), count);
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw damaged(library, path, String.valueOf(e.getMessage()));
        }
        for (int i = 0; i < shapes.size(); i++) {
            indexes.putIfAbsent(shapes.get(i), i);
        }
        buildTables = tern_lut_kernels.build_tables(table);
        matmul = tern_lut_kernels.matmul(table);
        unpack = tern_lut_kernels.unpack(table);
    }

    private static KernelUnavailableException damaged(Path library, LutPath path, String what) {
        return new KernelUnavailableException(
                library + ": its table of " + path.label() + " kernels is damaged: " + what + "; build it again");
    }

    private static List<LutShape> shapes(MemorySegment address, long count) {
        MemorySegment array = address.reinterpret(count * tern_lut_shape.sizeof());
        List<LutShape> shapes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            MemorySegment shape = tern_lut_shape.asSlice(array, i);
            shapes.add(new LutShape(
                    tern_lut_shape.format(shape) == tern_kernels_h.TERN_LUT_TL1()
                            ? LutShape.Format.TL1
                            : LutShape.Format.TL2,
                    tern_lut_shape.rows(shape),
                    tern_lut_shape.cols(shape),
                    tern_lut_shape.bm(shape),
                    tern_lut_shape.bk(shape),
                    tern_lut_shape.bmm(shape)));
        }
        return List.copyOf(shapes);
    }

    /** The file they come from. */
    public Path library() {
        return library;
    }

    /** What they are compiled for. */
    public LutPath path() {
        return path;
    }

    /** SHA-256 of the plan they were generated from. */
    public String plan() {
        return plan;
    }

    /** What there are kernels for, in the plan's order. */
    public List<LutShape> shapes() {
        return shapes;
    }

    /** Position of a shape in {@link #shapes}, or -1. */
    int indexOf(LutShape shape) {
        return indexes.getOrDefault(shape, -1);
    }

    /**
     * Builds the tables of tokens {@code [tokenBegin, tokenEnd)} of quantized activations for one format, for every matrix of
     * that format with the activations' columns.
     *
     * @throws IllegalArgumentException when no matrix of the format has the activations' columns, nothing has been quantized
     *     yet, or {@code out} has no room for so many columns
     */
    public void buildTables(LutShape.Format format, Activations a, int tokenBegin, int tokenEnd, LutTables out) {
        int cols = a.cols();
        KernelArguments.range("tokens", tokenBegin, tokenEnd, Math.min(a.tokens(), out.tokens()));
        if (cols <= 0 || cols % format.colUnit() != 0) {
            throw new IllegalArgumentException("a: quantized with " + cols + " columns; tables of " + format
                    + " are of multiples of " + format.colUnit());
        }
        if (LutTables.tableBytes(format, cols) > out.stride()) {
            throw new IllegalArgumentException("out: no room for the tables of " + cols + " columns");
        }
        KernelArguments.accessible("a", a.values(), a.descriptor());
        KernelArguments.accessible("out", out.values(), out.descriptor());
        out.built(format, cols);
        try {
            check(tern_lut_kernels.build_tables.invoke(
                    buildTables, format.code(), a.descriptor(), cols, tokenBegin, tokenEnd, out.descriptor()));
        } finally {
            Reference.reachabilityFence(a);
            Reference.reachabilityFence(out);
        }
    }

    /**
     * {@link Kernels#ternaryMatmul} from tables, to the bit: tokens {@code [0, tokens)}, rows {@code [rowBegin, rowEnd)}, which
     * are multiples of {@link LutShape#ROW_UNIT}.
     *
     * @param w packed for these kernels
     * @param a whose tables {@code tables} holds, of all these tokens; only format and width are checked
     */
    public void matmul(
            LutWeights w,
            Activations a,
            LutTables tables,
            int tokens,
            int rowBegin,
            int rowEnd,
            MemorySegment y,
            long yStride) {
        requireOwn(w);
        KernelArguments.range("tokens", 0, tokens, Math.min(a.tokens(), tables.tokens()));
        KernelArguments.range("rows", rowBegin, rowEnd, w.rows());
        if (tokens > 0 && (a.cols() != w.cols() || !tables.holds(w.shape().format(), w.cols()))) {
            throw new IllegalArgumentException("tables: not built for " + w.shape());
        }
        KernelArguments.accessible("w", w.packed(), w.descriptor());
        KernelArguments.accessible("a", a.values(), a.descriptor());
        KernelArguments.accessible("tables", tables.values(), tables.descriptor());
        KernelArguments.tokens("y", y, yStride, rowEnd, tokens);
        KernelArguments.writableFloats("y", y);
        try {
            check(tern_lut_kernels.matmul.invoke(
                    matmul,
                    w.descriptor(),
                    a.descriptor(),
                    tables.descriptor(),
                    tokens,
                    rowBegin,
                    rowEnd,
                    y,
                    yStride));
        } finally {
            Reference.reachabilityFence(w);
            Reference.reachabilityFence(a);
            Reference.reachabilityFence(tables);
        }
    }

    /**
     * Rows {@code [rowBegin, rowEnd)} (multiples of {@link LutShape#ROW_UNIT}) in the layout of {@link TernaryWeights}, the
     * first at the beginning of {@code codes}, without gaps.
     */
    public void unpack(LutWeights w, int rowBegin, int rowEnd, MemorySegment codes) {
        requireOwn(w);
        KernelArguments.range("rows", rowBegin, rowEnd, w.rows());
        long rowBytes = TernaryWeights.rowBytes(w.cols());
        if ((rowEnd - rowBegin) * rowBytes > codes.byteSize()) {
            throw new IndexOutOfBoundsException(
                    "codes: " + codes.byteSize() + " bytes for " + (rowEnd - rowBegin) + " rows of " + rowBytes);
        }
        KernelArguments.offHeap("codes", codes, 1);
        KernelArguments.writable("codes", codes);
        KernelArguments.accessible("codes", codes);
        KernelArguments.accessible("w", w.packed(), w.descriptor());
        try {
            check(tern_lut_kernels.unpack.invoke(unpack, w.descriptor(), rowBegin, rowEnd, codes, rowBytes));
        } finally {
            Reference.reachabilityFence(w);
        }
    }

    private void requireOwn(LutWeights w) {
        if (w.kernels() != this) {
            throw new IllegalArgumentException("w: packed for the kernels of " + w.kernels() + ", not of " + this);
        }
    }

    private static void check(int status) {
        if (status == tern_kernels_h.TERN_LUT_RAGGED_ROWS()) {
            throw new IllegalArgumentException("rows: not whole blocks of " + LutShape.ROW_UNIT + " rows");
        }
        if (status != tern_kernels_h.TERN_LUT_OK()) {
            throw new IllegalStateException("the library has no kernel for this shape (status " + status + ")");
        }
    }

    /** {@code libtern-lut-0123456789abcdef.so (avx2)}. */
    @Override
    public String toString() {
        return library.getFileName() + " (" + path.label() + ")";
    }
}
