package dev.tern.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Biases, constraints and the probabilities that are told. */
class TokenProbabilityTest {
    private static final float[] LOGITS = {1, 3, 2, -1, 3};
    private static final double SUM = Arrays.stream(new double[] {1, 3, 2, -1, 3}).map(Math::exp).sum();

    private static SamplingOptionsBuilder plain() {
        return SamplingOptions.builder().temperature(1).topK(0).topP(1).minP(0);
    }

    private static Set<Integer> drawn(Sampler sampler) {
        Set<Integer> ids = new TreeSet<>();
        for (int i = 0; i < 500; i++) {
            ids.add(sampler.sample(MemorySegment.ofArray(LOGITS)));
        }
        return ids;
    }

    @Test
    void ofTheModelsOwnSoftmaxWhateverTheChainDoes() {
        SamplingOptions options = plain().temperature(0.5)
                .topK(2)
                .logitBias(Map.of(1, Float.NEGATIVE_INFINITY))
                .probabilities(new Probabilities(3, false))
                .build();
        assertThat(options.decisiveLogits()).isZero();
        Sampler sampler = new Sampler(options, 5, 1);
        for (int i = 0; i < 50; i++) {
            int id = sampler.sample(MemorySegment.ofArray(LOGITS));
            List<TokenProbability> told = sampler.probabilities();
            assertThat(told).extracting(TokenProbability::id).containsExactly(id, 1, 4, 2);
            told.forEach(each ->
                    assertThat(each.logProbability()).isCloseTo((float) (LOGITS[each.id()] - Math.log(SUM)), within(1e-6f)));
        }
    }

    @Test
    void ofWhatIsLeftAfterTheChain() {
        SamplingOptions options = plain().topK(3).probabilities(new Probabilities(10, true)).build();
        assertThat(options.decisiveLogits()).isEqualTo(3);
        Sampler sampler = new Sampler(options, 5, 1);
        int id = sampler.sample(MemorySegment.ofArray(LOGITS));
        double sum = 2 * Math.exp(3) + Math.exp(2);
        assertThat(sampler.probabilities()).extracting(TokenProbability::id).containsExactly(id, 1, 4, 2);
        assertThat(sampler.probabilities().get(3).logProbability()).isCloseTo((float) (2 - Math.log(sum)), within(1e-6f));
        Sampler greedy =
                new Sampler(options.toBuilder().temperature(0).build(), 5, 1);
        greedy.sample(MemorySegment.ofArray(LOGITS));
        assertThat(greedy.probabilities()).containsExactly(new TokenProbability(1, 0), new TokenProbability(1, 0));
    }

    @Test
    void onlyOfTheChosenOneAndOfNone() {
        Sampler one = new Sampler(plain().probabilities(new Probabilities(0, false)).build(), 5, 1);
        assertThat(one.probabilities()).isEmpty();
        int id = one.sample(MemorySegment.ofArray(LOGITS));
        assertThat(one.probabilities()).extracting(TokenProbability::id).containsExactly(id);
        Sampler none = new Sampler(plain().build(), 5, 1);
        assertThat(none.sample(MemorySegment.ofArray(LOGITS))).as("the same draw").isEqualTo(id);
        assertThat(none.probabilities()).isEmpty();
    }

    @Test
    void biasesLiftAndBan() {
        assertThat(drawn(new Sampler(
                        plain().logitBias(Map.of(1, Float.NEGATIVE_INFINITY, 4, Float.NEGATIVE_INFINITY)).build(), 5, 1)))
                .containsExactly(0, 2, 3);
        assertThat(drawn(new Sampler(plain().logitBias(Map.of(3, 100f)).build(), 5, 1))).containsExactly(3);
        assertThatThrownBy(() -> new Sampler(plain().logitBias(Map.of(5, 1f)).build(), 5, 1))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("logit bias", "0 to 4", "found 5");
        assertThatThrownBy(() -> plain().logitBias(Map.of(-1, 1f)).build()).hasMessageContaining("logit bias");
        assertThatThrownBy(() -> plain().logitBias(Map.of(1, Float.NaN)).build()).hasMessageContaining("token 1");
        assertThatThrownBy(() -> plain().logitBias(Map.of(1, Float.POSITIVE_INFINITY)).build())
                .hasMessageContaining("token 1");
    }

    /** Even ids and odd ones in turns. */
    private static final class Alternating implements TokenConstraint {
        private final List<Integer> accepted = new ArrayList<>();

        @Override
        public void mask(float[] logits) {
            for (int id = accepted.size() % 2; id < logits.length; id += 2) {
                logits[id] = Float.NEGATIVE_INFINITY;
            }
        }

        @Override
        public void accept(int id) {
            accepted.add(id);
        }
    }

    @Test
    void aConstraintMasksBeforeTheChainAndIsToldOfChosenTokensOnly() {
        Alternating constraint = new Alternating();
        SamplingOptions options = SamplingOptions.builder().temperature(0).build();
        Sampler sampler = new Sampler(options, 5, 1, SequenceBreakers.NONE, constraint);
        assertThat(sampler.decisiveLogits()).as("it may ban the largest").isZero();
        sampler.acceptPrompt(2);
        sampler.acceptPrompt(3);
        assertThat(constraint.accepted).isEmpty();
        for (int expected : new int[] {1, 4, 1, 4}) {
            int id = sampler.sample(MemorySegment.ofArray(LOGITS));
            assertThat(id).isEqualTo(expected);
            sampler.accept(id);
        }
        assertThat(constraint.accepted).containsExactly(1, 4, 1, 4);
    }

    @Test
    void whenNothingIsLeftThatIsSaid() {
        TokenConstraint onlyTwo = new TokenConstraint() {
            @Override
            public void mask(float[] logits) {
                for (int id = 0; id < logits.length; id++) {
                    logits[id] = id == 2 ? logits[id] : Float.NEGATIVE_INFINITY;
                }
            }

            @Override
            public void accept(int id) {}
        };
        SamplingOptions banned = plain().logitBias(Map.of(2, Float.NEGATIVE_INFINITY)).build();
        Sampler sampler = new Sampler(banned, 5, 1, SequenceBreakers.NONE, onlyTwo);
        assertThatThrownBy(() -> sampler.sample(MemorySegment.ofArray(LOGITS)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("no token is left");
    }
}
