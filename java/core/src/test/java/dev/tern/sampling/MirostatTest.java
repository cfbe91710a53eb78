package dev.tern.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MirostatTest {
    private static final int VOCAB = 500;

    private static SamplingOptions options(int version, double tau, double temperature) {
        return SamplingOptions.builder().mirostat(version).mirostatTau(tau).temperature(temperature).build();
    }

    private static float[] logits(Random random) {
        float[] logits = new float[VOCAB];
        for (int i = 0; i < VOCAB; i++) {
            logits[i] = (float) (random.nextGaussian() * 3);
        }
        return logits;
    }

    /** The published algorithms, on a sorted list. */
    private static final class Plain {
        private final SplitMix random;
        private final int version;
        private final double tau;
        private double mu;

        Plain(int version, double tau, long seed) {
            this.version = version;
            this.tau = tau;
            this.mu = 2 * tau;
            this.random = new SplitMix(seed);
        }

        int next(double[] x) {
            List<Integer> ids = IntStream.range(0, x.length)
                    .boxed()
                    .sorted(Comparator.comparingDouble(id -> -x[id]))
                    .toList();
            double sum = Arrays.stream(x).map(StrictMath::exp).sum();
            double[] p = ids.stream().mapToDouble(id -> StrictMath.exp(x[id]) / sum).toArray();
            int kept;
            if (version == 1) {
                double above = 0;
                double below = 0;
                for (int i = 0; i < 99; i++) {
                    double t = StrictMath.log((i + 2) / (double) (i + 1));
                    above += t * StrictMath.log(p[i] / p[i + 1]);
                    below += t * t;
                }
                double s = above / below;
                double e = s - 1;
                kept = (int) StrictMath.pow(e * StrictMath.pow(2, mu) / (1 - StrictMath.pow(x.length, -e)), 1 / s);
            } else {
                double limit = mu;
                kept = (int) Arrays.stream(p).filter(share -> -StrictMath.log(share) / StrictMath.log(2) <= limit).count();
            }
            kept = Math.clamp(kept, 1, x.length);
            double left = Arrays.stream(p, 0, kept).sum();
            // Version 2 draws by ascending id, version 1 by falling probability.
            List<Integer> places = IntStream.range(0, kept)
                    .boxed()
                    .sorted(Comparator.comparingInt(place -> version == 2 ? ids.get(place) : place))
                    .toList();
            double uniform = random.nextDouble() * left;
            int chosen = -1;
            for (int i = 0; uniform >= 0; i++) {
                chosen = places.get(i);
                uniform -= p[chosen];
            }
            mu -= 0.1 * (-StrictMath.log(p[chosen] / left) / StrictMath.log(2) - tau);
            return ids.get(chosen);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void tokensAreThoseOfThePublishedAlgorithm(int version) {
        for (double tau : new double[] {1, 3, 5, 8}) {
            Sampler sampler = new Sampler(options(version, tau, 0.8f), VOCAB, 17);
            Plain plain = new Plain(version, tau, 17);
            Random random = new Random(4);
            for (int i = 0; i < 100; i++) {
                float[] logits = logits(random);
                double[] x = IntStream.range(0, VOCAB).mapToDouble(id -> logits[id] / (double) 0.8f).toArray();
                assertThat(sampler.sample(MemorySegment.ofArray(logits))).as("token %d", i).isEqualTo(plain.next(x));
            }
        }
    }

    /** In the long run the surprise is what was asked for, where the model can give it. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void theSurpriseSettlesAtTau(int version) {
        SamplingOptions options =
                options(version, 3, 1).toBuilder().probabilities(new Probabilities(0, true)).build();
        Sampler sampler = new Sampler(options, VOCAB, 1);
        Random random = new Random(6);
        double surprise = 0;
        int tokens = 3000;
        for (int i = 0; i < tokens; i++) {
            sampler.sample(MemorySegment.ofArray(logits(random)));
            surprise -= sampler.probabilities().getFirst().logProbability() / StrictMath.log(2);
        }
        assertThat(surprise / tokens).isCloseTo(3, within(0.1));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void bannedTokensAndFewTokens(int version) {
        float[] logits = new float[VOCAB];
        Arrays.fill(logits, Float.NEGATIVE_INFINITY);
        logits[7] = 2;
        Sampler sampler = new Sampler(options(version, 5, 1), VOCAB, 1);
        for (int i = 0; i < 50; i++) {
            assertThat(sampler.sample(MemorySegment.ofArray(logits))).isEqualTo(7);
        }
        logits[8] = 2; // equally likely: no slope to estimate
        for (int i = 0; i < 50; i++) {
            assertThat(sampler.sample(MemorySegment.ofArray(logits))).isIn(7, 8);
        }
    }

    @Test
    void penaltiesAndFiltersAreNotUsed() {
        SamplingOptions options = options(2, 5, 0).toBuilder()
                .repeatPenalty(5)
                .typicalP(0.1)
                .samplers(List.of(SamplerStage.PENALTIES, SamplerStage.TYPICAL_P))
                .build();
        assertThat(options.decisiveLogits()).isEqualTo(1);
        assertThat(options.isRandom()).isFalse();
        assertThat(options(1, 5, 0.8).decisiveLogits()).isZero();
        Sampler sampler = new Sampler(options, 3, 1);
        sampler.accept(1);
        assertThat(sampler.sample(MemorySegment.ofArray(new float[] {1, 2, 0}))).isEqualTo(1);
    }
}
