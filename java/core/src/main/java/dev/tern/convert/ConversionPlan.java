package dev.tern.convert;

import dev.tern.checkpoint.WeightFormat;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufTensor;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a conversion would write.
 *
 * @param checkpoint the folder, or GGUF file, read from
 * @param format how a checkpoint's ternary matrices are stored, null for GGUF
 * @param architecture {@code general.architecture} of the file
 * @param outtype type of the ternary tensors; where it was chosen tensor by tensor, of most weights
 * @param tiles that the matrices are packed with: one for each of their shapes for TL1 and TL2, else none
 * @param embeddingType type of the embedding; an untied head has another only where a GGUF source's has
 * @param fileBytes size of the file
 * @param metadataKeys number of key-value pairs
 * @param tensors every tensor with type, dimensions, offset and size, in the file's order
 * @param notes what a person should know: assumptions made, and who can read the file
 */
public record ConversionPlan(
        Path checkpoint,
        @Nullable WeightFormat format,
        String architecture,
        Outtype outtype,
        LutTiles tiles,
        GgmlType embeddingType,
        long fileBytes,
        int metadataKeys,
        List<GgufTensor> tensors,
        List<String> notes) {

    public ConversionPlan {
        tensors = List.copyOf(tensors);
        notes = List.copyOf(notes);
    }

    /** Number and bytes of the tensors of one type. */
    public record TypeTotal(int tensors, long bytes) {}

    /** Totals by tensor type. */
    public Map<GgmlType, TypeTotal> totals() {
        Map<GgmlType, TypeTotal> totals = new EnumMap<>(GgmlType.class);
        for (GgufTensor tensor : tensors) {
            totals.merge(
                    tensor.type(),
                    new TypeTotal(1, tensor.byteSize()),
                    (a, b) -> new TypeTotal(a.tensors + b.tensors, a.bytes + b.bytes));
        }
        return totals;
    }
}
