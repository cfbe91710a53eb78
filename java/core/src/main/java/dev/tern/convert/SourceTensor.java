package dev.tern.convert;

import dev.tern.gguf.GgmlType;
import org.jspecify.annotations.Nullable;

/**
 * A tensor that a conversion reads.
 *
 * @param name under GGUF
 * @param source under the name that it has where it is read
 * @param kind what becomes of it
 * @param dims {@code ne[0]} (the elements of a row) first; not to be changed
 * @param stored its GGUF type, null in a checkpoint
 */
record SourceTensor(String name, String source, Kind kind, long[] dims, @Nullable GgmlType stored) {

    /** What becomes of a tensor. */
    enum Kind {
        /** One of the seven projections: of the outtype. */
        TERNARY,
        /** The embedding or an untied head: of the embedding type. */
        EMBEDDING,
        /** A norm or another vector: F32. */
        VECTOR,
        /**
         * Another matrix of floats, of a low-rank correction: BF16 or F32 where the embedding type asked for is, else
         * F16.
         */
        MATRIX,
        /** Copied as it is. */
        COPY
    }

    static Kind kindOf(String name) {
        return name.equals("token_embd.weight") || name.equals("output.weight") ? Kind.EMBEDDING : Kind.MATRIX;
    }

    /** The product of all dimensions but the first; 1 for a vector. */
    long rows() {
        long rows = 1;
        for (int d = 1; d < dims.length; d++) {
            rows *= dims[d];
        }
        return rows;
    }

    long cols() {
        return dims[0];
    }

    long elements() {
        return rows() * cols();
    }
}
