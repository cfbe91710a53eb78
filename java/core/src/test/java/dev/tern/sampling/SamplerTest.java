package dev.tern.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
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
        SamplingOptionsBuilder fresh = SamplingOptions.builder();
        Map<String, UnaryOperator<SamplingOptionsBuilder>> wrong = Map.ofEntries(
                Map.entry("temperature: expected 0 or more, found -1.0", options -> options.temperature(-1)),
                Map.entry("temperature: expected 0 or more, found NaN", options -> options.temperature(Double.NaN)),
                Map.entry("dynamic temperature range", options -> options.dynatempRange(-0.1)),
                Map.entry("dynamic temperature exponent", options -> options.dynatempExponent(Double.NaN)),
                Map.entry("top-k", options -> options.topK(-1)),
                Map.entry("top-p", options -> options.topP(0)),
                Map.entry("min-p", options -> options.minP(1.5)),
                Map.entry("typical-p", options -> options.typicalP(1.01)),
                Map.entry("top-n-sigma", options -> options.topNSigma(Double.NaN)),
                Map.entry("min-keep", options -> options.minKeep(-1)),
                Map.entry("repeat penalty", options -> options.repeatPenalty(0)),
                Map.entry("repeat last n", options -> options.repeatLastN(-2)),
                Map.entry("presence penalty", options -> options.presencePenalty(Double.POSITIVE_INFINITY)),
                Map.entry("frequency penalty", options -> options.frequencyPenalty(Double.NaN)),
                Map.entry("DRY multiplier", options -> options.dryMultiplier(-1)),
                Map.entry("DRY base", options -> options.dryBase(0.9)),
                Map.entry("DRY allowed length", options -> options.dryAllowedLength(-1)),
                Map.entry("DRY penalty last n", options -> options.dryPenaltyLastN(-2)),
                Map.entry("DRY sequence breaker", options -> options.drySequenceBreakers(List.of("a", ""))),
                Map.entry("XTC probability", options -> options.xtcProbability(1.1)),
                Map.entry("XTC threshold", options -> options.xtcThreshold(-0.1)),
                Map.entry("mirostat:", options -> options.mirostat(3)),
                Map.entry("mirostat tau", options -> options.mirostatTau(-1)),
                Map.entry("mirostat eta", options -> options.mirostatEta(Double.NaN)));
        wrong.forEach((message, change) -> assertThatThrownBy(
                        () -> change.apply(fresh.build().toBuilder()).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message));
        assertThatThrownBy(() -> new Probabilities(-2, true)).hasMessageStartingWith("probabilities");
        assertThatThrownBy(() -> SamplerStage.of("top_x"))
                .hasMessageContainingAll("sampler", "penalties, dry, top_n_sigma, top_k, typ_p", "found top_x");
        assertThat(SamplerStage.of("nucleus")).isEqualTo(SamplerStage.TOP_P);
        assertThat(SamplerStage.of("typical")).isEqualTo(SamplerStage.TYPICAL_P);
    }

    @Test
    void aBuilderFromOptionsChangesNothing() {
        SamplingOptions options = SamplingOptions.builder()
                .temperature(0.1).dynatempRange(0.2).dynatempExponent(0.3)
                .topK(4).topP(0.5).minP(0.6).typicalP(0.7).topNSigma(0.8).minKeep(9)
                .repeatPenalty(1.1).presencePenalty(1.2).frequencyPenalty(1.3).repeatLastN(14)
                .dryMultiplier(1.5).dryBase(1.6).dryAllowedLength(17).dryPenaltyLastN(18).drySequenceBreakers(List.of("19"))
                .xtcProbability(0.2).xtcThreshold(0.21)
                .mirostat(2).mirostatTau(2.3).mirostatEta(2.4)
                .logitBias(Map.of(25, 26f))
                .samplers(List.of(SamplerStage.XTC))
                .probabilities(new Probabilities(27, true))
                .build();
        assertThat(options.toBuilder().build()).isEqualTo(options);
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
                options(1, 40, 0.5, 0),
                // Behind top-k all may look at what is left.
                options(1, 30, 0.9, 0.1).toBuilder()
                        .typicalP(0.7)
                        .xtcProbability(0.5)
                        .xtcThreshold(0.05)
                        .dynatempRange(0.5)
                        .probabilities(new Probabilities(5, true))
                        .build(),
                options(0.7, 25, 1, 0).toBuilder()
                        .repeatPenalty(1.3)
                        .dryMultiplier(0.8)
                        .samplers(List.of(
                                SamplerStage.MIN_P, SamplerStage.TOP_K, SamplerStage.PENALTIES, SamplerStage.DRY))
                        .build(),
                // Banned tokens and lowered ones may have been among the largest.
                options(0, 0, 1, 0).toBuilder().logitBias(bans(40)).build(),
                options(0.8, 10, 0.9, 0.05).toBuilder().logitBias(bans(25)).build());
        Random random = new Random(1);
        for (SamplingOptions way : ways) {
            int top = way.decisiveLogits();
            int banned = way.logitBias().size();
            assertThat(top).isEqualTo(banned + (way.isRandom() ? way.truncation().topK() : 1));
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
                assertThat(largest.probabilities()).isEqualTo(whole.probabilities());
                whole.accept(chosen);
                largest.accept(chosen);
            }
        }
    }

    /** A client may ask for any top-k, and ban tokens besides. */
    @Test
    void moreDecisiveLogitsThanCanBeCountedAreAll() {
        SamplingOptions most = options(0.8, Integer.MAX_VALUE, 0.95, 0.05);
        assertThat(most.decisiveLogits()).isEqualTo(Integer.MAX_VALUE);
        assertThat(most.toBuilder().logitBias(bans(1)).build().decisiveLogits()).isZero();
        assertThat(most.toBuilder().logitBias(bans(40)).build().decisiveLogits()).isZero();
        assertThat(options(0.8, Integer.MAX_VALUE - 40, 1, 0).toBuilder().logitBias(bans(40)).build().decisiveLogits())
                .isEqualTo(Integer.MAX_VALUE);
    }

    private static Map<Integer, Float> bans(int count) {
        return IntStream.range(0, count)
                .boxed()
                .collect(Collectors.toMap(i -> 7 * i, i -> i % 2 == 0 ? Float.NEGATIVE_INFINITY : -1.5f));
    }

    @Test
    void whatLooksAtAllLogitsMakesAllDecisive() {
        SamplingOptions usual = options(0.8, 40, 0.95, 0.05);
        assertThat(usual.decisiveLogits()).isEqualTo(40);
        List.<UnaryOperator<SamplingOptionsBuilder>>of(
                        options -> options.topNSigma(1),
                        options -> options.presencePenalty(0.1),
                        options -> options.frequencyPenalty(-0.1),
                        options -> options.dryMultiplier(0.5),
                        options -> options.mirostat(1),
                        options -> options.mirostat(2),
                        options -> options.logitBias(Map.of(3, 0.5f)),
                        options -> options.probabilities(new Probabilities(0, false)),
                        options -> options.topK(0),
                        options -> options.samplers(List.of(SamplerStage.TOP_P, SamplerStage.TOP_K)),
                        options -> options.samplers(List.of(SamplerStage.XTC, SamplerStage.TOP_K)).xtcProbability(0.1),
                        options -> options.samplers(List.of(SamplerStage.TYPICAL_P, SamplerStage.TOP_K)).typicalP(0.9),
                        options -> options.samplers(List.of(SamplerStage.TEMPERATURE, SamplerStage.TOP_K))
                                .dynatempRange(0.1),
                        options -> options.samplers(List.of(SamplerStage.MIN_P, SamplerStage.TEMPERATURE)),
                        options -> options.samplers(List.of()))
                .forEach(change -> {
                    SamplingOptions changed = change.apply(usual.toBuilder()).build();
                    assertThat(changed.decisiveLogits()).as("%s", changed).isZero();
                });
    }

    @Test
    void withoutTopKOrWithAPenaltyAllLogitsAreDecisive() {
        assertThat(options(0.8, 0, 0.95, 0.05).decisiveLogits()).isZero();
        assertThat(penalized(0, 0, 1.1, 64).decisiveLogits()).isZero();
        assertThat(penalized(0.8, 40, 1.1, -1).decisiveLogits()).isZero();
    }
}
