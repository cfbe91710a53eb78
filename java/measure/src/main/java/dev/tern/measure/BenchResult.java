package dev.tern.measure;

import dev.tern.model.PassProfile;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a test gave.
 *
 * @param test what was processed
 * @param threads that computed
 * @param time when it began
 * @param samples one run each
 * @param peakBytes most memory the process had resident from the load of the model to the end of the test, pages of
 *     files included (Linux); of the process's whole life where {@link ThisProcess#forgetPeak} cannot be had
 * @param profile of a further run, when asked for
 */
public record BenchResult(
        BenchTest test,
        int threads,
        Instant time,
        Samples samples,
        OptionalLong peakBytes,
        Optional<PassProfile> profile) {

    /** As reports and comparisons show it. */
    public Speed speed() {
        return new Speed(
                test.prompt(),
                test.generated(),
                test.depth(),
                threads,
                new Spread(Arrays.stream(samples.rates()).boxed().toList()));
    }
}
