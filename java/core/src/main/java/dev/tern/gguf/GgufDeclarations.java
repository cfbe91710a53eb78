package dev.tern.gguf;

import dev.tern.io.InputException;
import dev.tern.io.MappedFile;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.SequencedMap;

/**
 * What the header of a GGUF file declares, whether or not the types are known and the data is there: for finding out
 * what is wrong with a file that {@link GgufFile#open} refuses. Immutable but for the arrays of dimensions.
 *
 * @param metadata all key-value pairs in the file's order; unmodifiable
 * @param dataStart where tensor data should start in the file
 * @param fileSize bytes of the file
 * @param tensors in the file's order
 */
public record GgufDeclarations(
        SequencedMap<String, GgufValue> metadata, long dataStart, long fileSize, List<Tensor> tensors) {

    public GgufDeclarations {
        metadata = Collections.unmodifiableSequencedMap(metadata);
        tensors = List.copyOf(tensors);
    }

    /**
     * A tensor as it is declared.
     *
     * @param dims {@code ne[0]} first, all positive
     * @param typeId the number of its type, which may mean nothing
     * @param offset from {@link GgufDeclarations#dataStart}
     */
    public record Tensor(String name, long[] dims, int typeId, long offset) {}

    /**
     * Reads a header.
     *
     * @throws InputException when the file is no GGUF of version 2 or 3, or its header is cut off or contradicts itself
     */
    public static GgufDeclarations read(Path path) {
        try (MappedFile file = MappedFile.open(path)) {
            return GgufHeader.declared(path, file.segment());
        }
    }
}
