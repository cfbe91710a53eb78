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

    /**
     * Of two tensors of a file whose shapes fit. U is used where it lies, if it lies as its elements must.
     *
     * @param arena holds what is transposed or copied
     * @param small holds the descriptors
     * @throws InputException when the types differ, or are none that Tern computes with
     */
    public static LowRank of(GgufFile file, GgufTensor u, GgufTensor v, Arena arena, Arena small) {
        FloatWeights left = floats(file, u, arena, small);
        if (u.type() != v.type()) {
            throw InputException.at(file.path()).tensor(v.name()).expected(u.type() + " as its U").found(v.type()).exception();
        }
        return of(left, floats(file, v, arena, small), arena, small);
    }

    private static FloatWeights floats(GgufFile file, GgufTensor tensor, Arena arena, Arena small) {
        FloatType type = TensorTypes.floatType(file, tensor, TensorShape.Kind.LOW_RANK);
        MemorySegment data = file.data(tensor);
        MemorySegment aligned = data.address() % type.alignment() == 0
                ? data
                : arena.allocate(data.byteSize(), 64).copyFrom(data);
        return FloatWeights.of(small, aligned, (int) tensor.rows(), (int) tensor.cols(), type);
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
