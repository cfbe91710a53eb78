package dev.tern.measure.rivals;

import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * What was read from the output of one run.
 *
 * @param prefill tokens a second of the prompt, where the run told it
 * @param decode tokens a second of generation, where the run told it
 * @param version of the engine, where the output names it; empty otherwise
 * @param remarks what was not as asked though it may count
 */
record Rates(OptionalDouble prefill, OptionalDouble decode, String version, List<String> remarks) {

    static final Rates NONE = new Rates(OptionalDouble.empty(), OptionalDouble.empty(), "", List.of());

    Rates {
        remarks = List.copyOf(remarks);
    }

    /** With what a further run of the same engine told besides. */
    Rates and(Rates other) {
        return new Rates(
                prefill.isPresent() ? prefill : other.prefill,
                decode.isPresent() ? decode : other.decode,
                version.isEmpty() ? other.version : version,
                Stream.concat(remarks.stream(), other.remarks.stream()).toList());
    }
}
