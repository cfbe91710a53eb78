package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_lut_matrix;
import dev.tern.kernels.ffi.tern_lut_shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * A ternary matrix packed for look-up-table kernels ({@code tern_lut_matrix} of the C header), as TL1 and TL2 tensors hold it.
 * Bound to the kernels that it is computed with. Immutable; alive as long as the memory it was made over.
 */
public final class LutWeights implements Projection {
    private final LutKernels kernels;
    private final LutShape shape;
    private final MemorySegment packed;
    private final float scale;
    private final MemorySegment descriptor;

    private LutWeights(
            SegmentAllocator allocator, LutKernels kernels, int kernel, LutShape shape, MemorySegment packed, float scale) {
        this.kernels = kernels;
        this.shape = shape;
        this.packed = packed;
        this.scale = scale;
        descriptor = tern_lut_matrix.allocate(allocator);
        MemorySegment of = tern_lut_matrix.shape(descriptor);
        tern_lut_shape.format(of, shape.format().code());
        tern_lut_shape.rows(of, shape.rows());
        tern_lut_shape.cols(of, shape.cols());
        tern_lut_shape.bm(of, shape.bm());
        tern_lut_shape.bk(of, shape.bk());
        tern_lut_shape.bmm(of, shape.bmm());
        tern_lut_matrix.packed(descriptor, packed);
        tern_lut_matrix.scale(descriptor, scale);
        tern_lut_matrix.kernel(descriptor, kernel);
    }

    /**
     * A view of packed weights.
     *
     * @param allocator where the small native descriptor lives; must live as long as the weights
     * @param kernels that have one for this shape
     * @param packed {@link LutShape#packedBytes} bytes or more
     * @param scale s, finite
     * @throws IllegalArgumentException when the kernels have none for the shape, or the weights are too short or on the heap
     */
    public static LutWeights of(
            SegmentAllocator allocator, LutKernels kernels, LutShape shape, MemorySegment packed, float scale) {
        int kernel = kernels.indexOf(shape);
        if (kernel < 0) {
            throw new IllegalArgumentException("the kernels of " + kernels + " have none for " + shape);
        }
        if (packed.byteSize() < shape.packedBytes()) {
            throw new IllegalArgumentException(
                    shape + " has " + shape.packedBytes() + " bytes, but there are " + packed.byteSize());
        }
        KernelArguments.offHeap("packed", packed, 1);
        return new LutWeights(allocator, kernels, kernel, shape, packed, scale);
    }

    /** The kernels it is computed with. */
    public LutKernels kernels() {
        return kernels;
    }

    /** Format, dimensions and tile. */
    public LutShape shape() {
        return shape;
    }

    /** The packed weights. */
    public MemorySegment packed() {
        return packed;
    }

    @Override
    public int rows() {
        return shape.rows();
    }

    @Override
    public int cols() {
        return shape.cols();
    }

    @Override
    public float scale() {
        return scale;
    }

    @Override
    public long byteSize() {
        return shape.packedBytes();
    }

    /** The {@code tern_lut_matrix} that C reads. Holds addresses alone: whoever passes it keeps this object reachable. */
    MemorySegment descriptor() {
        return descriptor;
    }
}
