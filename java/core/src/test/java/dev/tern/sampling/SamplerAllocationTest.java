package dev.tern.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Once its scratch memory has its size, no stage of a sampler allocates anything. */
class SamplerAllocationTest {
    private static final int VOCAB = 2000;
    private static final int TOKENS = 200;
    private static final int ENOUGH = 8 * TOKENS; // less than an object for every second token; counting costs some too

    @Test
    void everyStageWorksInTheMemoryItHas() throws ReflectiveOperationException {
        SamplingOptionsBuilder all = SamplingOptions.builder()
                .topK(0)
                .typicalP(0.9)
                .topNSigma(3)
                .xtcProbability(0.5)
                .dynatempRange(0.5)
                .repeatPenalty(1.1)
                .presencePenalty(0.1)
                .dryMultiplier(0.5)
                .dryPenaltyLastN(100)
                .logitBias(Map.of(3, 1f, 4, Float.NEGATIVE_INFINITY));
        List<SamplingOptions> ways = List.of(
                all.build(),
                all.topK(40).build(),
                SamplingOptions.greedy(),
                SamplingOptions.builder().mirostat(1).build(),
                SamplingOptions.builder().mirostat(2).build());
        Random random = new Random(1);
        float[] logits = new float[VOCAB];
        for (int i = 0; i < VOCAB; i++) {
            logits[i] = (float) random.nextGaussian();
        }
        MemorySegment row = MemorySegment.ofArray(logits);
        for (SamplingOptions way : ways) {
            Sampler sampler = new Sampler(way, VOCAB, 1, SequenceBreakersTest.ofTokens(VOCAB, List.of(7)), null);
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 300 && least > ENOUGH; round++) { // interpreted at first, which allocates more
                long before = allocated();
                for (int i = 0; i < TOKENS; i++) {
                    sampler.accept(sampler.sample(row) % 30);
                }
                least = Math.min(least, allocated() - before);
            }
            assertThat(least).as("bytes for %d tokens: %s", TOKENS, way).isLessThanOrEqualTo(ENOUGH);
        }
    }

    private static long allocated() throws ReflectiveOperationException {
        Object bean = Class.forName("java.lang.management.ManagementFactory")
                .getMethod("getThreadMXBean")
                .invoke(null);
        Method bytes = Class.forName("com.sun.management.ThreadMXBean").getMethod("getThreadAllocatedBytes", long.class);
        return (long) bytes.invoke(bean, Thread.currentThread().threadId());
    }
}
