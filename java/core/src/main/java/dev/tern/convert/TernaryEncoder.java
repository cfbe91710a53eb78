package dev.tern.convert;

import dev.tern.gguf.GgufWriter;
import dev.tern.io.InputException;
import dev.tern.io.Sha256;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryCounts;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.ternary.TernaryRows;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;

/** Writes ternary tensors band by band, and keeps account of T. Not thread-safe. */
final class TernaryEncoder {
    private final ConversionSource source;
    private final GgufWriter writer;
    private final boolean hashes;
    private byte[] encoded = new byte[0];
    private byte[] values = new byte[0];

    TernaryEncoder(ConversionSource source, GgufWriter writer, boolean hashes) {
        this.source = source;
        this.writer = writer;
        this.hashes = hashes;
    }

    /** Writes a whole tensor. */
    ConversionReport.Ternary encode(SourceTensor tensor, TernaryCodec codec) {
        TernaryRows matrix = source.ternary(tensor);
        float scale = matrix.scale();
        Optional<String> obstacle = codec.scaleObstacle(scale);
        if (obstacle.isPresent() && scale != 0) {
            throw cannotHold(tensor, scale, obstacle.get());
        }
        int rows = matrix.rows();
        int cols = matrix.cols();
        int step = Band.rows(matrix, codec.bandRows());
        reserve(Band.bytes(matrix, codec), step * cols);
        MessageDigest digest = Sha256.digest();
        TernaryCounts counts = new TernaryCounts(0, 0, 0);
        for (int row = 0; row < rows; row += step) {
            int count = Math.min(step, rows - row);
            TernaryMatrix band = Band.read(matrix, row, count, values);
            if (hashes) {
                digest.update(band.values());
            }
            counts = counts.plus(TernaryCounts.of(band.values()));
            if (obstacle.isPresent() && counts.zero() < counts.all()) { // zeros times 0 are held by every type
                throw cannotHold(tensor, scale, obstacle.get());
            }
            MemorySegment out = MemorySegment.ofArray(encoded).asSlice(0, codec.byteSize(count, cols));
            codec.encode(band, out);
            for (TernaryCodec.Piece piece : codec.pieces(rows, cols, row, count)) {
                writer.write(tensor.name(), piece.to(), out.asSlice(piece.from(), piece.bytes()));
            }
        }
        byte[] tail = codec.tail(rows, cols, scale);
        if (tail.length > 0) {
            writer.write(tensor.name(), codec.byteSize(rows, cols) - tail.length, MemorySegment.ofArray(tail));
        }
        return new ConversionReport.Ternary(
                counts,
                scale,
                codec.storedScale(scale),
                hashes ? HexFormat.of().formatHex(digest.digest()) : null);
    }

    private InputException cannotHold(SourceTensor tensor, float scale, String reason) {
        return InputException.at(source.path())
                .tensor(tensor.source())
                .problem(reason)
                .cure("Outtypes that can hold this matrix with its scale: "
                        + OuttypeChoice.thatHold(tensor, scale) + ".")
                .exception();
    }

    /** Tensors of one shape share the buffers. */
    private void reserve(int bytes, int weights) {
        if (encoded.length < bytes) {
            encoded = new byte[bytes];
        }
        if (values.length != weights) {
            values = new byte[weights];
        }
    }
}
