package dev.tern.measure.comparison;

import dev.tern.measure.Speed;
import dev.tern.measure.Spread;
import java.util.List;
import java.util.Optional;

/**
 * What one outtype gave.
 *
 * @param outtype as {@code --outtype} spells it
 * @param embeddingType of the embedding, and of the head where it is the same
 * @param failure why it could not be converted or measured; the other fields are then what was known by then
 * @param fileBytes size of the GGUF file
 * @param bitsPerWeight of a ternary weight in the file, scales included
 * @param convertSeconds reading, converting, writing
 * @param ternaryValues of the checkpoint that were compared with the file's, one by one; 0 where it was not validated
 * @param lossless whether they were all equal, and each scale as precise as the type allows
 * @param loadSeconds from the start of the load to a model that can be asked, in a process of its own
 * @param firstTokenSeconds from the process's start to the first token of a short prompt, all included
 * @param speeds prefill and decode
 * @param bytesPerToken of weights that a decoded token reads as they lie in memory, head included
 * @param peakBytes most memory the process had resident, file pages included
 * @param quality against the checkpoint, where a text was given
 */
public record FormatResult(
        String outtype,
        String embeddingType,
        Optional<String> failure,
        long fileBytes,
        double bitsPerWeight,
        double convertSeconds,
        long ternaryValues,
        boolean lossless,
        Optional<Spread> loadSeconds,
        Optional<Spread> firstTokenSeconds,
        List<Speed> speeds,
        long bytesPerToken,
        long peakBytes,
        Optional<Quality> quality) {

    public FormatResult {
        speeds = List.copyOf(speeds);
    }
}
