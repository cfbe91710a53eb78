package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.lut.KernelFamily;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.sampling.Sampler;
import dev.tern.sampling.SamplingOptions;
import dev.tern.ternary.Outtype;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sixth law: what a token allocates in Java's heap is small and does not grow with the model. */
class AllocationTest {
    private static final int TOKENS = 50;

    private @TempDir Path folder;

    @Test
    void tokenAllocatesTheSameFewBytesWhateverTheModelsSize() throws ReflectiveOperationException {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "the Java reference copies rows");
        long small = measure(Outtype.I2_S, KernelFamily.MAD, 4, 40, 512);
        // Not one object more a layer (the smallest has 16 bytes), nor one byte more for each token of the vocabulary.
        long deep = measure(Outtype.I2_S, KernelFamily.MAD, 8, 40, small + 4 * 16 - 1);
        long wide = measure(Outtype.I2_S, KernelFamily.MAD, 4, 4000, small + 4 * 16 - 1);
        System.out.println("bytes allocated for a token: 4 layers " + small + ", 8 layers " + deep
                + ", a hundred times the vocabulary " + wide);
        assertThat(small).isLessThanOrEqualTo(512);
        assertThat(deep).isLessThan(small + 4 * 16);
        assertThat(wide).isLessThan(small + 4 * 16);
    }

    @Test
    void lookingUpAllocatesNoMore() throws ReflectiveOperationException {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        long small = measure(Outtype.TL2, KernelFamily.LUT, 4, 40, 512);
        long deep = measure(Outtype.TL2, KernelFamily.LUT, 8, 40, small + 4 * 16 - 1);
        System.out.println("bytes allocated for a token looked up: 4 layers " + small + ", 8 layers " + deep);
        assertThat(small).isLessThanOrEqualTo(512);
        assertThat(deep).isLessThan(small + 4 * 16);
    }

    /**
     * The least of many rounds, until one needs no more than {@code enough}: at first the code is interpreted, and an
     * interpreter allocates what a compiler does away with.
     */
    private long measure(Outtype outtype, KernelFamily family, int layers, int vocabulary, long enough)
            throws ReflectiveOperationException {
        ModelHyperparameters graph = new ModelHyperparameters(
                "bitnet-b1.58", "", vocabulary, 1024, 128, 256, layers, 4, 2, 32, 32, 10000, 1e-5f,
                FfnActivation.RELU_SQUARED, true, true);
        Path file = TestGguf.random(graph, outtype, 1).write(folder.resolve(layers + "-" + vocabulary + ".gguf"));
        try (Model model = Model.load(
                        file, ModelOptions.builder().threads(2).family(family).build());
                Session session = model.session()) {
            assertThat(model.info().lut().isPresent()).isEqualTo(family == KernelFamily.LUT);
            Sampler sampler = new Sampler(SamplingOptions.builder().repeatPenalty(1.1).build(), vocabulary, 1);
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 5000 && least > enough; round++) {
                session.rewind(0);
                long before = allocated();
                decode(session, sampler);
                least = Math.min(least, (allocated() - before) / TOKENS);
            }
            return least;
        }
    }

    private static void decode(Session session, Sampler sampler) {
        session.feed(1);
        for (int i = 1; i < TOKENS; i++) {
            int id = sampler.sample(session.logits());
            sampler.accept(id);
            session.feed(id);
        }
    }

    /** Bytes that this thread and the team's have allocated; by reflection, as the engine needs no management module. */
    private static long allocated() throws ReflectiveOperationException {
        Object bean = Class.forName("java.lang.management.ManagementFactory")
                .getMethod("getThreadMXBean")
                .invoke(null);
        Method bytes = Class.forName("com.sun.management.ThreadMXBean").getMethod("getThreadAllocatedBytes", long.class);
        List<Thread> threads = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread == Thread.currentThread() || thread.getName().startsWith("tern-"))
                .toList();
        long sum = 0;
        for (Thread thread : threads) {
            sum += (long) bytes.invoke(bean, thread.threadId());
        }
        return sum;
    }
}
