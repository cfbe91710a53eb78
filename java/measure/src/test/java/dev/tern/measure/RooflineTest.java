package dev.tern.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tern.model.TokenWork;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class RooflineTest {
    private static final MachineLimits LIMITS = new MachineLimits(
            List.of(
                    new MachineLimits.Read(1, false, 10),
                    new MachineLimits.Read(2, false, 16),
                    new MachineLimits.Read(2, true, 20)),
            List.of(new MachineLimits.Peak("avx2", 2, 400), new MachineLimits.Peak("avx512vnni", 2, 1000)));

    private final Roofline roofline = new Roofline(LIMITS, new TokenWork(1_000_000_000, 1_000_000, 4_000, 3_000));

    @Test
    void decodeIsHeldAgainstReads() {
        Roofline.Share share = roofline.of(result(0, 3, 7, 2, 500_000_000), "avx2").orElseThrow();
        assertThat(share.bound()).isEqualTo(Roofline.Bound.READ);
        assertThat(share.limit()).isEqualTo(20); // of the larger pages
        assertThat(share.reached()).isCloseTo(1.009 * 6, within(1e-9)); // 9 positions on the average, 6 tokens a second
        assertThat(share.share()).isCloseTo(1.009 * 6 / 20, within(1e-9));
        assertThat(roofline.of(result(0, 3, 7, 1, 1), "avx2").orElseThrow().limit()).isEqualTo(10);
    }

    @Test
    void prefillIsHeldAgainstTheProductsOfItsTier() {
        Roofline.Share share = roofline.of(result(10, 0, 0, 2, 1_000), "avx512vnni").orElseThrow();
        assertThat(share.bound()).isEqualTo(Roofline.Bound.PRODUCTS);
        assertThat(share.limit()).isEqualTo(1000);
        assertThat(share.reached()).isCloseTo((9 * 3_000 + 4_000) / 1_000.0, within(1e-9)); // a run of 1 microsecond
    }

    @Test
    void whatHasNoLimitHasNoShare() {
        assertThat(roofline.of(result(10, 3, 0, 2, 1), "avx2")).isEmpty();
        assertThat(roofline.of(result(10, 0, 0, 1, 1), "avx2")).isEmpty();
        assertThat(roofline.of(result(10, 0, 0, 2, 1), "scalar")).isEmpty();
        assertThat(roofline.of(result(0, 3, 0, 3, 1), "avx2")).isEmpty();
    }

    private static BenchResult result(int prompt, int generated, int depth, int threads, long nanos) {
        BenchTest test = new BenchTest(prompt, generated, depth);
        Samples samples = new Samples(new long[] {nanos / 2, nanos, 5 * nanos}, test.tokens());
        return new BenchResult(test, threads, Instant.EPOCH, samples, OptionalLong.empty(), Optional.empty());
    }
}
