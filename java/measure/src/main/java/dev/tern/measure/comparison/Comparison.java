package dev.tern.measure.comparison;

import dev.tern.measure.MachineLimits;
import java.util.List;
import java.util.Optional;

/**
 * A whole comparison.
 *
 * @param origin when, where and by what it was measured
 * @param model the checkpoint
 * @param method how was measured
 * @param limits of the machine, where they were measured
 * @param formats one entry an outtype, in the order asked for; one that failed says why
 * @param rivals other engines; one that was not there says so
 * @param notes what a reader must know besides
 */
public record Comparison(
        Origin origin,
        ModelFacts model,
        Method method,
        Optional<MachineLimits> limits,
        List<FormatResult> formats,
        List<RivalResult> rivals,
        List<String> notes) {

    public Comparison {
        formats = List.copyOf(formats);
        rivals = List.copyOf(rivals);
        notes = List.copyOf(notes);
    }
}
