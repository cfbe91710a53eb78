package dev.tern;

import dev.tern.kernels.FloatType;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.Tier;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What was loaded and how it runs.
 *
 * @param path the file
 * @param fileBytes its size
 * @param weightBytes the weights as they are computed with
 * @param parameters number of weights, the embedding counted once when it is also the head
 * @param weightType types of the ternary matrices as GGUF names them, such as {@code I2_S}
 * @param embeddingType type of the embedding
 * @param tier who computes
 * @param lut library and path of the look-up-table kernels, when the ternary products are looked up in tables
 * @param layout of the ternary matrices, when they are multiplied
 * @param threads that compute, the caller's included
 * @param contextLength positions of a session
 * @param batchSize tokens of a prompt that are evaluated at once
 * @param cacheType of keys and values
 * @param loadSeconds from opening the file to the first possible token
 * @param notes what a person should know: why no faster kernels, what is unusual about the model
 */
public record ModelInfo(
        Path path,
        long fileBytes,
        long weightBytes,
        long parameters,
        String weightType,
        String embeddingType,
        Tier tier,
        Optional<String> lut,
        Optional<TernaryLayout> layout,
        int threads,
        int contextLength,
        int batchSize,
        FloatType cacheType,
        double loadSeconds,
        List<String> notes) {

    public ModelInfo {
        notes = List.copyOf(notes);
    }
}
