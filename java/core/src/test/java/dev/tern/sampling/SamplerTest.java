package dev.tern.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
    private static final int VOCAB = 1000;

    private static SamplingOptions options(double temperature, int topK, double topP, double minP) {
        return SamplingOptions.builder().temperature(temperature).topK(topK).topP(topP).minP(minP).build();
    }

    private static SamplingOptions penalized(double temperature, int topK, double penalty, int lastN) {
        return options(temperature, topK, 1, 0).toBuilder().repeatPenalty(penalty).repeatLastN(lastN).build();
    }

    private static float[] randomLogits(long seed) {
        Random random = new Random(seed);
        float[] logits = new float[VOCAB];
        for (int i = 0; i < VOCAB; i++) {
            logits[i] = Math.round(random.nextGaussian() * 12) / 4f; // coarse, so that ties are common
        }
        return logits;
    }

    private static Set<Integer> drawn(float[] logits, SamplingOptions base, int draws) {
        Set<Integer> ids = new TreeSet<>();
        Sampler sampler = new Sampler(base, logits.length, 5);
        for (int i = 0; i < draws; i++) {
            ids.add(sampler.sample(MemorySegment.ofArray(logits)));
        }
        return ids;
    }

    /** Ids by falling logit, ties by rising id: the plain sort that the sampler avoids. */
    private static int[] sorted(float[] logits) {
        return IntStream.range(0, logits.length)
                .boxed()
                .sorted(Comparator.<Integer>comparingDouble(id -> -logits[id]).thenComparing(id -> id))
                .mapToInt(id -> id)
                .toArray();
    }

    private static double[] probabilities(float[] logits) {
        double max = IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).max().orElseThrow();
        double[] p = IntStream.range(0, logits.length)
                .mapToDouble(i -> StrictMath.exp(logits[i] - max))
                .toArray();
        double sum = Arrays.stream(p).sum();
        return Arrays.stream(p).map(v -> v / sum).toArray();
    }

    private static Set<Integer> first(int[] ids, int n) {
        return Arrays.stream(ids, 0, n).boxed().collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void zeroTemperatureTakesTheFirstOfTheLargest() {
        float[] logits = {-1, 3, 2, 3};
        assertThat(new Sampler(SamplingOptions.greedy(), 4, 0).sample(MemorySegment.ofArray(logits))).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 40, 999, 1000, 5000})
    void topKKeepsExactlyTheKBest(int k) {
        float[] logits = randomLogits(k);
        // So hot that all candidates are about equally likely, and enough draws to see each of them.
        Set<Integer> ids = drawn(logits, options(1e4, k, 1, 0), 15 * Math.min(k, VOCAB) + 20);
        assertThat(ids).isEqualTo(first(sorted(logits), Math.min(k, VOCAB)));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.01, 0.3, 0.8, 0.95})
    void topPKeepsTheFewestThatReachIt(double p) {
        float[] logits = randomLogits(3);
        double[] probabilities = probabilities(logits);
        int[] ids = sorted(logits);
        int n = 0;
        for (double sum = 0; sum < p; n++) {
            sum += probabilities[ids[n]];
        }
        assertThat(drawn(logits, options(1e4, 0, p, 0), 15 * n + 20)).isEqualTo(first(ids, n));
        // Behind top-k the probabilities are those among the k: with k = all the same set.
        assertThat(drawn(logits, options(1e4, VOCAB, p, 0), 15 * n + 20)).isEqualTo(first(ids, n));
    }

    @Test
    void minPIsRelativeToTheBest() {
        float[] logits = randomLogits(4);
        double[] probabilities = probabilities(logits);
        double best = Arrays.stream(probabilities).max().orElseThrow();
        Set<Integer> expected = IntStream.range(0, VOCAB)
                .filter(i -> probabilities[i] >= 0.021 * best)
                .boxed()
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(drawn(logits, options(1e4, 0, 1, 0.021), 15 * expected.size() + 20)).isEqualTo(expected);
        assertThat(drawn(logits, options(1e4, 0, 1, 1), 100))
                .allMatch(id -> logits[id] == logits[sorted(logits)[0]]);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4})
    void frequenciesFollowTheSoftmaxAtTheTemperature(int topK) {
        float[] logits = {1, 0.5f, 0, -1};
        float[] cooled = {2, 1, 0, -2};
        double[] expected = probabilities(cooled);
        int[] counts = new int[4];
        Sampler sampler = new Sampler(options(0.5, topK, 1, 0), 4, 11);
        int draws = 200_000;
        for (int i = 0; i < draws; i++) {
            counts[sampler.sample(MemorySegment.ofArray(logits))]++;
        }
        for (int i = 0; i < 4; i++) { // five standard deviations
            double sigma = Math.sqrt(expected[i] * (1 - expected[i]) / draws);
            assertThat(counts[i] / (double) draws).isBetween(expected[i] - 5 * sigma, expected[i] + 5 * sigma);
        }
    }

    @Test
    void seedDecides() {
        float[] logits = randomLogits(9);
        assertThat(sequence(logits, 1)).isEqualTo(sequence(logits, 1)).isNotEqualTo(sequence(logits, 2));
        // SplitMix64 from state 1234567, as published with the algorithm.
        SplitMix random = new SplitMix(1234567);
        assertThat(new long[] {random.nextLong(), random.nextLong(), random.nextLong()})
                .containsExactly(6457827717110365317L, 3203168211198807973L, -8629252141511181193L);
    }

    private static int[] sequence(float[] logits, long seed) {
        Sampler sampler = new Sampler(options(0.8, 40, 0.95, 0.05), VOCAB, seed);
        return IntStream.range(0, 50).map(i -> sampler.sample(MemorySegment.ofArray(logits))).toArray();
    }

    @Test
    void repetitionPenaltyCountsTheLastNOnce() {
        float[] logits = {4, 3, -1, -1.5f};
        Sampler sampler = new Sampler(penalized(0, 0, 2, 2), 4, 0);
        MemorySegment row = MemorySegment.ofArray(logits);
        assertThat(sampler.sample(row)).isZero();
        sampler.accept(0);
        sampler.accept(0); // twice in the window, penalized once: 2, not 1
        assertThat(sampler.sample(row)).isEqualTo(1);
        sampler.accept(1); // 2, 1.5
        assertThat(sampler.sample(row)).isZero();
        sampler.accept(2); // 0 has left the window
        assertThat(sampler.sample(row)).isZero();
        sampler.accept(0);
        sampler.accept(2);
        sampler.accept(3);
        assertThat(sampler.sample(row)).isZero();
        assertThat(logits).as("the caller's logits").containsExactly(4, 3, -1, -1.5f);
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 64, 100, 1000, -1})
    void windowOfAnySizeHoldsExactlyItsTokens(int window) {
        float[] logits = new float[VOCAB];
        Arrays.fill(logits, 1);
        Sampler sampler = new Sampler(penalized(0, 0, 2, window), VOCAB, 0);
        MemorySegment row = MemorySegment.ofArray(logits);
        for (int id = 0; id < VOCAB - 1; id++) {
            sampler.accept(id);
            int oldest = window < 0 ? 0 : Math.max(0, id - window + 1);
            // The first token outside the window: 0 once it has left, else the one after the last accepted.
            assertThat(sampler.sample(row)).isEqualTo(oldest > 0 ? 0 : id + 1);
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void brokenLogitsAreAnError(float value) {
        float[] logits = randomLogits(1);
        logits[700] = value;
        for (SamplingOptions options : new SamplingOptions[] {SamplingOptions.greedy(), options(1, 40, 1, 0)}) {
            assertThatThrownBy(() -> new Sampler(options, VOCAB, 1).sample(MemorySegment.ofArray(logits)))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("token 700")
                    .hasMessageContaining(Float.toString(value));
        }
    }

    @Test
    void minusInfinityIsNeverDrawn() {
        float[] logits = new float[VOCAB];
        Arrays.fill(logits, Float.NEGATIVE_INFINITY);
        assertThatThrownBy(() -> new Sampler(options(1, 0, 1, 0), VOCAB, 1).sample(MemorySegment.ofArray(logits)))
                .isInstanceOf(InputException.class);
        logits[5] = -3;
        logits[9] = -3;
        for (int topK : new int[] {0, 40}) {
            for (float topP : new float[] {1, 0.99f}) {
                assertThat(drawn(logits, options(1, topK, topP, 0), 100)).containsExactly(5, 9);
            }
        }
    }

    @Test
    void optionsOutOfRangeAreNamed() {
        assertThatThrownBy(() -> options(-1, 0, 1, 0)).hasMessageContaining("temperature");
        assertThatThrownBy(() -> options(Double.NaN, 0, 1, 0)).hasMessageContaining("temperature");
        assertThatThrownBy(() -> options(1, -1, 1, 0)).hasMessageContaining("top-k");
        assertThatThrownBy(() -> options(1, 0, 0, 0)).hasMessageContaining("top-p");
        assertThatThrownBy(() -> options(1, 0, 1, 1.5)).hasMessageContaining("min-p");
    }

    /** What a screen of the head relies on: below the decisive logits and their equals nothing matters. */
    @Test
    void onlyTheDecisiveLogitsMatter() {
        List<SamplingOptions> ways = List.of(
                SamplingOptions.greedy(),
                options(0, 7, 0.5, 0.1),
                options(0.8, 1, 0.95, 0.05),
                options(0.8, 5, 0.95, 0.05),
                penalized(2, 20, 1.3, 0),
                options(1, 40, 0.5, 0));
        Random random = new Random(1);
        for (SamplingOptions way : ways) {
            int top = way.decisiveLogits();
            assertThat(top).isEqualTo(way.temperature().value() == 0 ? 1 : way.truncation().topK());
            Sampler whole = new Sampler(way, 300, 1);
            Sampler largest = new Sampler(way, 300, 1);
            for (int i = 0; i < 200; i++) {
                float[] logits = new float[300];
                for (int id = 0; id < logits.length; id++) {
                    logits[id] = Math.round(random.nextGaussian() * 4) / 2f; // with ties
                }
                float[] sorted = logits.clone();
                Arrays.sort(sorted);
                float[] few = logits.clone();
                for (int id = 0; id < few.length; id++) {
                    few[id] = few[id] < sorted[300 - top] ? Float.NEGATIVE_INFINITY : few[id];
                }
                int chosen = whole.sample(MemorySegment.ofArray(logits));
                assertThat(largest.sample(MemorySegment.ofArray(few))).isEqualTo(chosen);
                whole.accept(chosen);
                largest.accept(chosen);
            }
        }
    }

    @Test
    void withoutTopKOrWithAPenaltyAllLogitsAreDecisive() {
        assertThat(options(0.8, 0, 0.95, 0.05).decisiveLogits()).isZero();
        assertThat(penalized(0, 0, 1.1, 64).decisiveLogits()).isZero();
        assertThat(penalized(0.8, 40, 1.1, -1).decisiveLogits()).isZero();
    }
}
