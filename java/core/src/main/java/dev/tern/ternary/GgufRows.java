package dev.tern.ternary;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;

/** A tensor of a GGUF file, decoded band by band; the last band is kept. */
final class GgufRows implements TernaryRows {
    /** Weights of a band, or the rows that belong together if these are more. */
    private static final int BAND = 1 << 16;

    private final GgufFile file;
    private final GgufTensor tensor;
    private final TernaryCodec codec;
    private final int rows;
    private final int cols;
    private final int bandRows;
    private final byte[] encoded;
    private final byte[] runtime;
    private final byte[] band;
    private final float scale;
    private int decoded = -1; // the first row of what is in `band`

    GgufRows(GgufFile file, GgufTensor tensor, TernaryCodec codec) {
        this.file = file;
        this.tensor = tensor;
        this.codec = codec;
        this.rows = Math.toIntExact(tensor.rows());
        this.cols = Math.toIntExact(tensor.cols());
        codec.obstacle(rows, cols).ifPresent(reason -> {
            throw InputException.at(file.where(tensor)).problem(reason).exception();
        });
        int unit = codec.bandRows();
        this.bandRows = (int) Math.min(rows, (long) unit * Math.max(1, BAND / unit / cols));
        this.encoded = new byte[Math.toIntExact(codec.byteSize(bandRows, cols))];
        this.runtime = new byte[Math.toIntExact(RuntimeLayout.byteSize(bandRows, cols))];
        this.band = new byte[Math.multiplyExact(bandRows, cols)];
        this.scale = findScale();
    }

    /** That of the first band which has one: blocks and floats of zeros have none. */
    private float findScale() {
        float found = 0;
        for (int first = 0; first < rows && found == 0; first += bandRows) {
            int count = Math.min(bandRows, rows - first);
            found = codec.scale(load(first, count), count, cols, where(first));
        }
        return found;
    }

    /** The band as a tensor of its own. */
    private MemorySegment load(int first, int count) {
        MemorySegment in = MemorySegment.ofArray(encoded).asSlice(0, codec.byteSize(count, cols));
        for (TernaryCodec.Piece piece : codec.pieces(rows, cols, first, count)) {
            file.read(tensor, piece.to(), in.asSlice(piece.from(), piece.bytes()));
        }
        if (codec.tail(count, cols, 1).length > 0) {
            long tail = GgmlType.SCALE_TAIL;
            file.read(tensor, tensor.byteSize() - tail, in.asSlice(in.byteSize() - tail));
        }
        return in;
    }

    private String where(int first) {
        return file.where(tensor) + (first == 0 ? "" : ", rows counted from " + first);
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int cols() {
        return cols;
    }

    @Override
    public float scale() {
        return scale;
    }

    @Override
    public void read(int firstRow, int count, byte[] t) {
        int end = firstRow + count;
        for (int row = firstRow, now; row < end; row += now) {
            int first = row / bandRows * bandRows;
            if (first != decoded) {
                decode(first, Math.min(bandRows, rows - first));
            }
            now = Math.min(end, first + bandRows) - row;
            System.arraycopy(band, (row - first) * cols, t, (row - firstRow) * cols, now * cols);
        }
    }

    private void decode(int first, int count) {
        decoded = -1;
        MemorySegment codes = MemorySegment.ofArray(runtime);
        float found = codec.pack(load(first, count), count, cols, codes, where(first));
        RuntimeLayout.unpack(codes, count, cols, band);
        if (found != scale && !(found == 0 && isZero(count * cols))) {
            throw new NotTernaryException(InputException.at(where(first))
                    .problem("its rows have different scales, so it is no ternary matrix of one scale; a file quantized"
                            + " from continuous weights looks like this, and has lost them")
                    .expected(scale)
                    .found(found)
                    .cure("Convert the original checkpoint with `tern convert`.")
                    .exception());
        }
        decoded = first;
    }

    private boolean isZero(int count) {
        for (int i = 0; i < count; i++) {
            if (band[i] != 0) {
                return false;
            }
        }
        return true;
    }
}
