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
     * Of a file's tensors U {@code [out][rank]}, which is used in place, and V {@code [in][rank]}, which is transposed.
     *
     * @param arena holds the transposed matrix
     * @param small holds descriptors
     */
    static LowRank of(GgufFile file, GgufTensor u, GgufTensor v, Arena arena, Arena small) {
        FloatType type = type(file, u);
        if (u.type() != v.type()) {
            throw InputException.at(file.path()).tensor(v.name()).expected(u.type() + " as its U").found(v.type()).exception();
        }
        MemorySegment data = file.data(u);
        if (data.address() % type.bytes() != 0) {
            throw InputException.at(file.path())
                    .tensor(u.name())
                    .problem("not aligned to its elements, general.alignment is " + file.alignment())
                    .cure("Convert the original checkpoint with tern convert.")
                    .exception();
        }
        int rank = (int) u.cols();
        int in = (int) v.rows();
        MemorySegment transposed = transposed(file.data(v), in, rank, type, arena);
        return new LowRank(
                FloatWeights.of(small, data, (int) u.rows(), rank, type),
                FloatWeights.of(small, transposed, rank, in, type));
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
