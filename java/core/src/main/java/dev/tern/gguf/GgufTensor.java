package dev.tern.gguf;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * One tensor of a GGUF file.
 *
 * @param name as GGUF spells it
 * @param type element type
 * @param dims {@code ne[0]} (the elements of a row) first; one to four positive numbers; not to be changed
 * @param offset of the data from the start of the data section, a multiple of the alignment
 * @param byteSize bytes of the data
 */
public record GgufTensor(String name, GgmlType type, long[] dims, long offset, long byteSize) {

    /** Elements of a row, {@code ne[0]}. */
    public long cols() {
        return dims[0];
    }

    /** The product of all dimensions but the first; 1 for a vector. */
    public long rows() {
        return Arrays.stream(dims).skip(1).reduce(1, Math::multiplyExact);
    }

    /** All elements. */
    public long elements() {
        return Math.multiplyExact(cols(), rows());
    }

    /** The dimensions as GGUF tools print them: {@code [512, 1536]}, {@code ne[0]} first. */
    public String shape() {
        return Arrays.stream(dims).mapToObj(Long::toString).collect(Collectors.joining(", ", "[", "]"));
    }
}
