package dev.tern.safetensors;

import java.util.List;
import java.util.stream.Collectors;

/**
 * Where a tensor lies in its file. Elements are little-endian and row-major.
 *
 * @param name its name in the header
 * @param type its element type
 * @param shape its dimensions, slowest first; empty for a scalar
 * @param offset of its first byte in the file
 * @param byteSize its bytes
 */
public record SafetensorsTensor(String name, SafetensorsType type, List<Long> shape, long offset, long byteSize) {

    public SafetensorsTensor {
        shape = List.copyOf(shape);
    }

    /** Number of elements; cannot overflow, as the file holds them all. */
    public long elements() {
        return shape.stream().reduce(1L, (a, b) -> a * b);
    }

    /** The dimensions as {@code [512, 1536]}. */
    public String shapeText() {
        return shape.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
    }
}
