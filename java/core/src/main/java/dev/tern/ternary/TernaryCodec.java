package dev.tern.ternary;

import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.Tile;
import dev.tern.codegen.PlannedKernel;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.kernels.TernaryEncoding;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The encoding of ternary matrices in one GGUF tensor type. Every codec holds T exactly and s as precisely as the
 * type's scale allows. Stateless and thread-safe. Layouts: ggml's
 * {@code ggml-quants.c}, bitnet.cpp's {@code ggml-bitnet-mad.cpp} and {@code ggml-bitnet-lut.cpp}.
 */
public sealed interface TernaryCodec permits I2sCodec, BlockCodec, LutCodec, FloatCodec {

    /** Whether a type can hold ternary weights and is supported. */
    static boolean supports(GgmlType type) {
        return Arrays.stream(Outtype.values()).anyMatch(outtype -> outtype.type() == type);
    }

    /**
     * The codec of a file's tensor, empty when its type is not {@link #supports supported}.
     *
     * @param tiles of the same file
     * @throws InputException when the tensor is TL1 or TL2 and its tile is not known
     */
    static Optional<TernaryCodec> of(GgufTensor tensor, LutTiles tiles) {
        return Arrays.stream(Outtype.values())
                .filter(outtype -> outtype.type() == tensor.type())
                .findFirst()
                .map(outtype -> outtype.lutFormat().isPresent()
                        ? tiled(outtype.lutFormat().get(), tensor, tiles)
                        : outtype.codec());
    }

    private static TernaryCodec tiled(LutFormat format, GgufTensor tensor, LutTiles tiles) {
        if (tensor.rows() > Integer.MAX_VALUE || tensor.cols() > Integer.MAX_VALUE) {
            throw InputException.at(tiles.where())
                    .tensor(tensor.name())
                    .problem("larger than any matrix of a model")
                    .found(tensor.shape())
                    .exception();
        }
        MatrixShape shape = new MatrixShape((int) tensor.rows(), (int) tensor.cols());
        Tile tile = tiles.tile(format, shape).orElseThrow(() -> InputException.at(tiles.where())
                .tensor(tensor.name())
                .problem("packed as " + tensor.type() + " for kernels whose tiles the file does not store")
                .expected("metadata ternary." + format.label() + "." + shape)
                .cure("Name the kernel_config.ini it was packed with: --kernel-config kernel_config.ini.")
                .exception());
        return new LutCodec(format, tile);
    }

    /** Bytes of a matrix in the run-time layout, the target of {@link #pack}. */
    static long packedSize(int rows, int cols) {
        return RuntimeLayout.byteSize(rows, cols);
    }

    GgmlType type();

    /** Why a matrix of these dimensions cannot be held, or empty. */
    default Optional<String> obstacle(int rows, int cols) {
        return cols % type().blockSize() == 0
                ? Optional.empty()
                : Optional.of(type() + " stores rows in blocks of " + type().blockSize() + ", and " + cols
                        + " columns are no multiple of that");
    }

    /** What s becomes in this type: rounded to nearest even, infinite or zero where it is out of range. */
    float storedScale(float scale);

    /**
     * Why s cannot be held beside weights that are not zero: it would become zero or infinite, or lose its sign in a
     * type that stores products. With s = 0 a matrix of zeros can be held all the same.
     */
    default Optional<String> scaleObstacle(float scale) {
        float stored = storedScale(scale);
        if (Float.isInfinite(stored) || stored == 0 && scale != 0) {
            return Optional.of("the scale " + scale + " becomes " + stored + " in " + type());
        }
        return Optional.empty();
    }

    /** Bytes of the tensor. */
    default long byteSize(int rows, int cols) {
        return type().bytes(cols, rows);
    }

    /**
     * Writes the tensor's bytes, all {@link #byteSize} of them.
     *
     * @throws IllegalArgumentException when there is an {@link #obstacle}, or a {@link #scaleObstacle} for other than a
     *     matrix of zeros whose s is 0
     */
    void encode(TernaryMatrix matrix, MemorySegment out);

    /**
     * A stretch of bytes that a tensor of some of a matrix's rows, encoded by themselves, has in common with the tensor
     * of the whole matrix.
     *
     * @param from where they are in the band's tensor
     * @param to where they are in the whole matrix's
     * @param bytes how many
     */
    record Piece(long from, long to, long bytes) {}

    /**
     * What the rows of a band must be a multiple of, for {@link #pieces}: then a matrix is encoded and decoded band by
     * band, each a matrix of its own of the same columns and scale.
     */
    default int bandRows() {
        return 1;
    }

    /**
     * Where the bytes of a band lie in the tensor of the whole matrix. Together with those of the other bands and the
     * {@link #tail} these are all of the tensor's bytes.
     *
     * @param rows of the whole matrix
     * @param firstRow of the band, a multiple of {@link #bandRows}
     * @param count rows of the band, a multiple of {@link #bandRows}
     */
    default List<Piece> pieces(int rows, int cols, int firstRow, int count) {
        long rowBytes = (byteSize(rows, cols) - tail(rows, cols, 1).length) / rows;
        return List.of(new Piece(0, firstRow * rowBytes, count * rowBytes));
    }

    /** The last bytes of a tensor, which belong to no row: nothing, or the scale and what pads it. */
    default byte[] tail(int rows, int cols, float scale) {
        return new byte[0];
    }

    /**
     * Reads s alone; cheap.
     *
     * @param where file and tensor, for errors
     * @throws InputException when it is not finite
     */
    float scale(MemorySegment in, int rows, int cols, String where);

    /**
     * Translates rows into the run-time layout of {@link dev.tern.kernels.TernaryWeights}: codes T+1 in groups of 128
     * columns as in I2_S, rows padded to whole groups with the code of zero. Several threads may translate different
     * rows of one tensor.
     *
     * @param in the tensor's bytes
     * @param firstRow first row to translate
     * @param endRow the row after the last
     * @param runtime where the first of these rows goes, the others following it: {@code (endRow - firstRow) *
     *     TernaryWeights.rowBytes(cols)} bytes
     * @param where file and tensor, for errors
     * @return s, the same for every range of rows
     * @throws InputException when the bytes are no ternary matrix: an invalid code, a float that is neither 0 nor s nor
     *     -s, blocks of different scale
     */
    float pack(
            MemorySegment in, int rows, int cols, int firstRow, int endRow, MemorySegment runtime, String where);

    /** Translates all rows. */
    default float pack(MemorySegment in, int rows, int cols, MemorySegment runtime, String where) {
        return pack(in, rows, cols, 0, rows, runtime, where);
    }

    /**
     * The encoding as kernels decode it, with the checks of {@link #pack} and the same codes; empty where none does.
     */
    default Optional<TernaryEncoding> encoding() {
        return Optional.empty();
    }

    /**
     * Whether the tensor's bytes are the run-time layout as they lie, so that one can compute with them in place (after
     * {@link #check}) instead of packing a copy.
     */
    default boolean isRuntimeLayout() {
        return false;
    }

    /** The look-up-table kernel that computes with the tensor's bytes as they lie (after {@link #check}), if any. */
    default Optional<PlannedKernel> kernel(int rows, int cols) {
        return Optional.empty();
    }

    /**
     * Checks a tensor whose bytes are the run-time layout, or what a {@link #kernel} reads, in place.
     *
     * @return s
     * @throws InputException on an invalid code or a scale that is not finite
     * @throws UnsupportedOperationException when it is neither
     */
    default float check(MemorySegment in, int rows, int cols, String where) {
        throw new UnsupportedOperationException(type() + " is not the run-time layout");
    }

    /** Reads (T, s), exactly, with the checks of {@link #pack}. */
    default TernaryMatrix decode(MemorySegment in, int rows, int cols, String where) {
        byte[] values = new byte[Math.multiplyExact(rows, cols)];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment runtime = arena.allocate(RuntimeLayout.byteSize(rows, cols));
            float scale = pack(in, rows, cols, runtime, where);
            RuntimeLayout.unpack(runtime, rows, cols, values);
            return new TernaryMatrix(rows, cols, values, scale);
        }
    }
}
