package dev.tern.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a seed gives must stay. These tokens were written down with the first sampler, which had the repetition penalty,
 * top-k, top-p, min-p and temperature as one fixed sequence.
 */
class SamplerGoldenTest {
    private static final int VOCAB = 1000;

    @ParameterizedTest
    @CsvSource(quoteCharacter = '"', textBlock = """
            0.8, 40, 0.95, 0.05, 1, 64, "317 463 918 228 297 811 412 969 572 274 511 6 351 625 540 438 728 512 98 453 144"
            1, 0, 0.9, 0, 1, 64, "691 463 641 228 297 632 412 918 720 742 511 811 492 625 963 50 728 512 98 286 658 38"
            1.3, 0, 1, 0.02, 1, 64, "724 139 435 228 78 664 251 578 305 763 446 591 578 625 724 108 8 512 98 453 959 38"
            0.7, 300, 0.8, 0, 1.1, 64, "317 463 918 228 297 57 412 969 864 271 511 674 949 625 540 438 728 512 98 362 27"
            1.5, 0, 1, 0, 1.3, -1, "789 153 326 244 51 811 251 786 369 666 223 490 535 625 679 134 80 512 98 575 959 38"
            0, 40, 0.95, 0.05, 1.2, 20, "317 463 918 228 297 451 412 247 251 802 511 854 973 625 810 684 728 512 98 362"
            2, 12, 1, 0.1, 0.9, 5, "802 463 641 228 297 811 412 578 572 691 511 247 949 625 963 438 728 512 98 366 959"
            """)
    void aSeedGivesWhatItAlwaysGave(
            float temperature, int topK, float topP, float minP, float penalty, int lastN, String expected) {
        SamplingOptions options = SamplingOptions.builder()
                .temperature(temperature)
                .topK(topK)
                .topP(topP)
                .minP(minP)
                .repeatPenalty(penalty)
                .repeatLastN(lastN)
                .build();
        Sampler sampler = new Sampler(options, VOCAB, 42);
        Random random = new Random(7);
        int[] ids = Arrays.stream(expected.split(" ")).mapToInt(Integer::parseInt).toArray();
        for (int id : ids) {
            float[] logits = new float[VOCAB];
            for (int i = 0; i < VOCAB; i++) {
                logits[i] = Math.round(random.nextGaussian() * 12) / 4f;
            }
            assertThat(sampler.sample(MemorySegment.ofArray(logits))).isEqualTo(id);
            sampler.accept(id);
        }
    }
}
