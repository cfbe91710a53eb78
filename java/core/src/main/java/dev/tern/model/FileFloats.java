package dev.tern.model;

import dev.tern.gguf.GgufTensor;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/** The embedding or the head of a file on its way to the kernels. */
final class FileFloats {
    final GgufTensor tensor;
    final FloatType type;
    final MemorySegment data; // as the file has it
    MemorySegment values; // as kernels read it

    FileFloats(GgufTensor tensor, FloatType type, MemorySegment data) {
        this.tensor = tensor;
        this.type = type;
        this.data = data;
        this.values = data;
    }

    /** What kernels compute with, once it is loaded. */
    FloatWeights weights(SegmentAllocator descriptors) {
        return FloatWeights.of(descriptors, values, (int) tensor.rows(), (int) tensor.cols(), type);
    }
}
