package dev.tern.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each stage, and chains of stages in any order, leave what the plain computation leaves, with the same probabilities. */
class StagesTest {
    private static final int VOCAB = 60;
    private static final Probabilities ALL_AFTER = new Probabilities(VOCAB, true);

    /** Nothing but the choice. */
    private static SamplingOptionsBuilder none() {
        return SamplingOptions.builder().temperature(1).topK(0).topP(1).minP(0).probabilities(ALL_AFTER);
    }

    private static float[] logits(Random random) {
        float[] logits = new float[VOCAB];
        for (int i = 0; i < VOCAB; i++) {
            logits[i] = Math.round(random.nextGaussian() * 8) / 4f; // with ties
        }
        return logits;
    }

    private static Map<Integer, Double> left(Sampler sampler, float[] logits) {
        int chosen = sampler.sample(MemorySegment.ofArray(logits));
        List<TokenProbability> told = sampler.probabilities();
        assertThat(told.getFirst().id()).isEqualTo(chosen);
        Map<Integer, Double> left = new TreeMap<>();
        for (TokenProbability each : told.subList(1, told.size())) {
            double p = StrictMath.exp(each.logProbability());
            if (p > PlainChain.LEAST) {
                left.put(each.id(), p);
            }
        }
        assertThat(left.get(chosen)).isEqualTo(StrictMath.exp(told.getFirst().logProbability()));
        return left;
    }

    /** A text of few different tokens, so that it repeats itself; chosen tokens are not added, so that both see the same. */
    private static void assertAsPlain(SamplingOptions options, long seed, int tokens) {
        Random random = new Random(seed);
        List<Integer> breakers = List.of(3, 7);
        Sampler sampler = new Sampler(options, VOCAB, seed, SequenceBreakersTest.ofTokens(VOCAB, breakers), null);
        PlainChain plain = new PlainChain(options, seed, breakers);
        for (int i = 0; i < tokens; i++) {
            float[] logits = logits(random);
            Map<Integer, Double> expected = plain.distribution(logits);
            Map<Integer, Double> found = left(sampler, logits);
            String where = options + ", token " + i;
            assertThat(found.keySet()).as(where).isEqualTo(expected.keySet());
            expected.forEach((id, p) -> assertThat(found.get(id)).as(where).isCloseTo(p, within(2e-5)));
            int next = random.nextInt(random.nextInt(10) == 0 ? VOCAB : 5);
            sampler.accept(next);
            plain.accept(next);
        }
    }

    private static SamplingOptions alone(SamplerStage stage) {
        SamplingOptionsBuilder options = none();
        SamplingOptionsBuilder one = switch (stage) {
            case PENALTIES -> options.repeatPenalty(1.3).presencePenalty(0.4).frequencyPenalty(-0.2).repeatLastN(12);
            case DRY -> options.dryMultiplier(0.8).dryPenaltyLastN(70);
            case TOP_N_SIGMA -> options.topNSigma(1.2);
            case TOP_K -> options.topK(9);
            case TYPICAL_P -> options.typicalP(0.6);
            case TOP_P -> options.topP(0.7);
            case MIN_P -> options.minP(0.1);
            case XTC -> options.xtcProbability(0.5).xtcThreshold(0.03);
            case TEMPERATURE -> options.temperature(0.9).dynatempRange(0.6).dynatempExponent(1.4);
        };
        return one.build();
    }

    @ParameterizedTest
    @EnumSource
    void aStageAloneIsThePlainComputation(SamplerStage stage) {
        SamplingOptions options = alone(stage);
        assertAsPlain(options, 1, 150);
        assertThat(options.activeStages()).containsExactly(stage);
    }

    @Test
    void chainsWorkInTheOrderGiven() {
        Random random = new Random(5);
        for (int i = 0; i < 400; i++) {
            List<SamplerStage> order = new ArrayList<>(SamplerStage.DEFAULT_ORDER);
            if (i % 2 == 1) {
                Collections.shuffle(order, random);
                order = new ArrayList<>(order.subList(0, 1 + random.nextInt(order.size())));
                order.add(order.get(random.nextInt(order.size()))); // one twice
            }
            SamplingOptions options = none()
                    .temperature(random.nextInt(4) == 0 ? 0 : 0.3 + random.nextDouble())
                    .dynatempRange(random.nextInt(3) == 0 ? 0.4 : 0)
                    .dynatempExponent(0.7)
                    .topK(random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(VOCAB + 5))
                    .topP(random.nextBoolean() ? 1 : 0.5 + 0.4 * random.nextDouble())
                    .minP(random.nextBoolean() ? 0 : 0.1 * random.nextDouble())
                    .typicalP(random.nextBoolean() ? 1 : 0.4 + 0.4 * random.nextDouble())
                    .topNSigma(random.nextBoolean() ? -1 : 0.5 + 2 * random.nextDouble())
                    .minKeep(random.nextInt(3) == 0 ? random.nextInt(12) : 0)
                    .repeatPenalty(random.nextBoolean() ? 1 : 0.8 + 0.7 * random.nextDouble())
                    .presencePenalty(random.nextBoolean() ? 0 : random.nextDouble() - 0.3)
                    .frequencyPenalty(random.nextBoolean() ? 0 : 0.1 * random.nextDouble())
                    .repeatLastN(random.nextInt(40) - 1)
                    .dryMultiplier(random.nextBoolean() ? 0 : random.nextDouble())
                    .dryAllowedLength(random.nextInt(4))
                    .dryBase(1 + random.nextDouble())
                    .dryPenaltyLastN(random.nextBoolean() ? -1 : random.nextInt(40))
                    .xtcProbability(random.nextBoolean() ? 0 : random.nextDouble())
                    .xtcThreshold(0.2 * random.nextDouble())
                    .logitBias(random.nextBoolean() ? Map.of() : Map.of(1, 2.5f, 4, Float.NEGATIVE_INFINITY))
                    .samplers(order)
                    .build();
            assertAsPlain(options, i, 25);
        }
    }

    /** What a filter always leaves does not change the choice of the likeliest. */
    @Test
    void truncationDoesNotChangeTheLikeliest() {
        Random random = new Random(2);
        SamplingOptions many =
                none().temperature(0).topK(5).topP(0.4).minP(0.3).topNSigma(0.5).minKeep(3).build();
        assertThat(many.activeStages()).containsExactly(SamplerStage.TEMPERATURE);
        assertThat(many.isRandom()).isFalse();
        Sampler plain = new Sampler(SamplingOptions.greedy(), VOCAB, 1);
        Sampler sampler = new Sampler(many, VOCAB, 2);
        for (int i = 0; i < 100; i++) {
            MemorySegment row = MemorySegment.ofArray(logits(random));
            assertThat(sampler.sample(row)).isEqualTo(plain.sample(row));
        }
    }

    /** Penalties beyond a float's range are as large as it goes, so that something is left to choose. */
    @Test
    void longRepetitionsStayFinite() {
        SamplingOptions options = none().dryMultiplier(1000).dryBase(50).temperature(0).build();
        Sampler sampler = new Sampler(options, VOCAB, 1);
        IntStream.range(0, 600).forEach(i -> sampler.accept(i % 3));
        float[] logits = new float[VOCAB];
        Arrays.fill(logits, Float.NEGATIVE_INFINITY);
        logits[0] = 5;
        logits[9] = -1e30f;
        assertThat(sampler.sample(MemorySegment.ofArray(logits))).isEqualTo(9);
        logits[9] = Float.NEGATIVE_INFINITY;
        assertThat(sampler.sample(MemorySegment.ofArray(logits))).as("the only one").isZero();
    }

    @Test
    void xtcHappensAsOftenAsItIsAskedFor() {
        float[] logits = {2, 1.5f, 1, -9};
        SamplingOptions options = none().xtcProbability(0.3).xtcThreshold(0.1).build();
        Sampler sampler = new Sampler(options, 4, 3);
        int excluded = 0;
        int draws = 20_000;
        for (int i = 0; i < draws; i++) {
            Map<Integer, Double> left = left(sampler, logits);
            assertThat(left.keySet()).isIn(Set.of(0, 1, 2, 3), Set.of(2, 3));
            excluded += left.size() == 2 ? 1 : 0;
        }
        double sigma = Math.sqrt(0.3 * 0.7 / draws);
        assertThat(excluded / (double) draws).isCloseTo(0.3, within(5 * sigma));
    }

    /** By hand: of 4, 3, 1 and -2 with token 0 twice and 3 once in the window. */
    @Test
    void penaltiesByHand() {
        SamplingOptions options =
                none().repeatPenalty(2).presencePenalty(0.25).frequencyPenalty(0.5).build();
        Sampler sampler = new Sampler(options, 4, 1);
        List.of(0, 3, 0).forEach(sampler::acceptPrompt);
        Map<Integer, Double> left = left(sampler, new float[] {4, 3, 1, -2});
        Map<Integer, Double> logits = new HashMap<>(Map.of(
                0, 4 / 2 - 2 * 0.5 - 0.25, // 0.75
                1, 3.0,
                2, 1.0,
                3, -2 * 2 - 0.5 - 0.25)); // -4.75
        double sum = logits.values().stream().mapToDouble(StrictMath::exp).sum();
        logits.forEach((id, logit) -> assertThat(left.get(id)).isCloseTo(StrictMath.exp(logit) / sum, within(1e-6)));
    }
}
