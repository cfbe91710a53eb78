package dev.tern.model;

import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The low-rank correction beside a projection W: y = W x + U · (Vᵀ · x), x being the projection's input before it is
 * quantized. Immutable.
 *
 * @param u {@code [out][rank]}
 * @param vTransposed {@code [rank][in]}, so that both products are sums along rows
 */
public record LowRank(FloatWeights u, FloatWeights vTransposed) {

    /** Its rank. */
    public int rank() {
        return u.cols();
    }

    /** Bytes of both matrices. */
    public long byteSize() {
        return ((long) u.rows() + vTransposed.cols()) * rank() * u.type().bytes();
    }

    /**
     * A correction of U {@code [out][rank]}, which is used where it lies, and V {@code [in][rank]}, which is transposed.
     *
     * @param arena holds the transposed matrix
     * @param descriptors holds its small descriptor
     * @throws IllegalArgumentException when the ranks or types differ
     */
    public static LowRank of(FloatWeights u, FloatWeights v, Arena arena, Arena descriptors) {
        if (u.cols() != v.cols() || u.type() != v.type()) {
            throw new IllegalArgumentException(
                    "U of rank " + u.cols() + " as " + u.type() + " and V of rank " + v.cols() + " as " + v.type());
        }
        MemorySegment transposed = transposed(v.values(), v.rows(), v.cols(), v.type(), arena);
        return new LowRank(u, FloatWeights.of(descriptors, transposed, v.cols(), v.rows(), v.type()));
    }

    /** Of two tensors of a file whose shapes fit. */
    static LowRank of(GgufFile file, GgufTensor u, GgufTensor v, Arena arena, Arena small) {
        if (u.type() != v.type()) {
            throw InputException.at(file.path()).tensor(v.name()).expected(u.type() + " as its U").found(v.type()).exception();
        }
        return of(floats(file, u, small), floats(file, v, small), arena, small);
    }

    private static FloatWeights floats(GgufFile file, GgufTensor tensor, Arena small) {
        FloatType type = type(file, tensor);
        MemorySegment data = file.data(tensor);
        if (data.address() % type.bytes() != 0) {
            throw InputException.at(file.path())
                    .tensor(tensor.name())
                    .problem("not aligned to its elements, general.alignment is " + file.alignment())
                    .cure("Convert the original checkpoint with tern convert.")
                    .exception();
        }
        return FloatWeights.of(small, data, (int) tensor.rows(), (int) tensor.cols(), type);
    }

    private static FloatType type(GgufFile file, GgufTensor tensor) {
        return switch (tensor.type()) {
            case F32 -> FloatType.F32;
            case F16 -> FloatType.F16;
            case BF16 -> FloatType.BF16;
            default -> throw InputException.at(file.path())
                    .tensor(tensor.name())
                    .problem("Tern computes low-rank corrections in floats")
                    .expected("type F16, BF16 or F32")
                    .found(tensor.type())
                    .cure("Convert the original checkpoint with tern convert.")
                    .exception();
        };
    }

    private static MemorySegment transposed(MemorySegment v, int in, int rank, FloatType type, Arena arena) {
        MemorySegment out = arena.allocate((long) in * rank * type.bytes(), 64);
        for (int j = 0; j < rank; j++) {
            for (int i = 0; i < in; i++) {
                long from = (long) i * rank + j;
                long to = (long) j * in + i;
                if (type == FloatType.F32) {
                    out.set(ValueLayout.JAVA_INT, 4 * to, v.get(ValueLayout.JAVA_INT_UNALIGNED, 4 * from));
                } else {
                    out.set(ValueLayout.JAVA_SHORT, 2 * to, v.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * from));
                }
            }
        }
        return out;
    }
}
