package dev.tern.measure.comparison;

import dev.tern.measure.Speed;
import java.util.List;
import java.util.Optional;

/**
 * What another engine gave on the same machine in the same turns.
 *
 * @param engine its name
 * @param version as it tells it; empty where it does not
 * @param type of the weights it ran
 * @param fileBytes of its model file, 0 where unknown
 * @param skipped why it was not run, such as that it is not installed
 * @param speeds prefill and decode
 */
public record RivalResult(
        String engine,
        String version,
        String type,
        long fileBytes,
        Optional<String> skipped,
        List<Speed> speeds) {

    public RivalResult {
        speeds = List.copyOf(speeds);
    }
}
