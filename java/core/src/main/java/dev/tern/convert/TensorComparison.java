package dev.tern.convert;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.Sha256;
import dev.tern.ternary.BlockQuantizer;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryCounts;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.ternary.TernaryRows;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/** Compares a file's tensors with those they were made from, band by band. Not thread-safe: it holds buffers. */
final class TensorComparison {
    private final GgufFile file;
    private final ConversionSource source;
    private final LutTiles tiles;
    private final FloatEncoder floats;
    private final StoredCopy copies;
    private byte[] expectedBand = new byte[0];
    private byte[] foundBand = new byte[0];
    private byte[] foundBytes = new byte[0];

    /** Of the last matrix compared: its T, in the file's order of rows. */
    private final MessageDigest digest = Sha256.digest();

    private TernaryCounts counts = new TernaryCounts(0, 0, 0);

    TensorComparison(GgufFile file, ConversionSource source, LutTiles tiles) {
        this.file = file;
        this.source = source;
        this.tiles = tiles;
        this.floats = new FloatEncoder(source);
        this.copies = new StoredCopy(source);
    }

    /**
     * Adds what is wrong with the tensor of this name; what is wrong with the source is thrown.
     *
     * @return what was found of a ternary matrix
     */
    Optional<ValidationReport.Matrix> compare(SourceTensor expected, Findings findings) {
        Optional<GgufTensor> found = file.find(expected.name());
        if (found.isEmpty()) {
            findings.problem("tensor '" + expected.name() + "': missing");
            return Optional.empty();
        }
        GgufTensor tensor = found.get();
        boolean sameShape = expected.dims().length > 2
                ? Arrays.equals(expected.dims(), tensor.dims())
                : findings.requireShape(tensor, (int) expected.rows(), (int) expected.cols());
        if (!sameShape) {
            return Optional.empty();
        }
        if (expected.kind() == SourceTensor.Kind.TERNARY) {
            return compareTernary(expected, tensor, findings);
        }
        compareFloats(expected, tensor, findings);
        return Optional.empty();
    }

    private Optional<ValidationReport.Matrix> compareTernary(
            SourceTensor tensor, GgufTensor stored, Findings findings) {
        Optional<TernaryCodec> codec = TernaryCodec.of(stored, tiles);
        if (codec.isEmpty()) {
            findings.problem(stored, "the type " + stored.type() + " cannot be decoded");
            return Optional.empty();
        }
        TernaryRows expected = source.ternary(tensor);
        TernaryRows[] found = new TernaryRows[1];
        findings.check(() -> found[0] = TernaryRows.of(file, stored, tiles).orElseThrow());
        if (found[0] == null || !sameValues(expected, found[0], stored, findings)) {
            return Optional.empty();
        }
        float scale = found[0].scale();
        float rounded = codec.get().storedScale(expected.scale());
        if (scale != rounded && !(scale == 0 && counts.zero() == counts.all())) {
            findings.problem(stored, "scale: expected " + rounded + " (" + expected.scale() + " in " + stored.type()
                    + "), found " + scale);
        }
        return Optional.of(new ValidationReport.Matrix(
                tensor.name(),
                tensor.source(),
                stored.type(),
                expected.rows(),
                expected.cols(),
                stored.byteSize(),
                counts,
                expected.scale(),
                scale,
                HexFormat.of().formatHex(digest.digest())));
    }

    /** False when the file cannot be decoded or differs; the first difference is a problem. */
    private boolean sameValues(TernaryRows expected, TernaryRows found, GgufTensor stored, Findings findings) {
        int cols = expected.cols();
        int step = Band.rows(expected, 1);
        if (expectedBand.length != step * cols) {
            expectedBand = new byte[step * cols];
            foundBand = new byte[step * cols];
        }
        counts = new TernaryCounts(0, 0, 0);
        digest.reset();
        for (int row = 0; row < expected.rows(); row += step) {
            int first = row;
            int count = Math.min(step, expected.rows() - row);
            byte[] values = Band.read(expected, row, count, expectedBand).values();
            TernaryMatrix[] decoded = new TernaryMatrix[1];
            findings.check(() -> decoded[0] = Band.read(found, first, count, foundBand));
            if (decoded[0] == null) {
                return false;
            }
            int at = Arrays.mismatch(values, decoded[0].values());
            if (at >= 0) {
                findings.problem(stored, "row " + (row + at / cols) + ", column " + at % cols + ": expected "
                        + values[at] + ", found " + decoded[0].values()[at]);
                return false;
            }
            digest.update(values);
            counts = counts.plus(TernaryCounts.of(values)); // a float type cannot hold the scale of zeros, nor need it
        }
        return true;
    }

    private void compareFloats(SourceTensor tensor, GgufTensor stored, Findings findings) {
        long[] wrong = {-1};
        FloatEncoder.Sink compared = (offset, expected) -> {
            if (wrong[0] < 0) {
                long mismatch = read(stored, offset, expected.byteSize()).mismatch(expected);
                wrong[0] = mismatch < 0 ? -1 : offset + mismatch;
            }
        };
        GgmlType source = tensor.stored();
        if (source == stored.type()) {
            copies.copy(tensor, 0, stored.byteSize(), compared);
            if (wrong[0] >= 0) {
                findings.problem(stored, "byte " + wrong[0] + " is not that of the source");
            }
        } else if (source != null && !isReadable(source)) {
            findings.problem(stored, "stored as " + source + " in the source, which cannot be compared with "
                    + stored.type());
        } else if (isReadable(stored.type())) {
            floats.encode(tensor, stored.type(), 0, tensor.rows(), compared);
            if (wrong[0] >= 0) {
                long index = wrong[0] / stored.type().blockBytes() * stored.type().blockSize();
                findings.problem(stored, "row " + index / stored.cols() + ", column " + index % stored.cols()
                        + " is not the " + (source == null ? "checkpoint" : "source") + "'s value rounded to "
                        + stored.type());
            }
        } else {
            findings.problem(stored, "the type " + stored.type() + " cannot be compared");
        }
    }

    private static boolean isReadable(GgmlType type) {
        return Findings.isPlainFloat(type) || BlockQuantizer.supports(type);
    }

    private MemorySegment read(GgufTensor stored, long offset, long size) {
        if (foundBytes.length < size) {
            foundBytes = new byte[(int) size];
        }
        MemorySegment bytes = MemorySegment.ofArray(foundBytes).asSlice(0, size);
        file.read(stored, offset, bytes);
        return bytes;
    }
}
