package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.sampling.Sampler;
import dev.tern.sampling.SamplingOptions;
import dev.tern.ternary.Outtype;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sixth law: what a token allocates in Java's heap is small and does not grow with the model. */
class AllocationTest {
    private @TempDir Path folder;

    @Test
    void tokenAllocatesTheSameFewBytesWhateverTheModelsSize() throws ReflectiveOperationException {
        measure(4, 40, 1, 1000); // until the code is compiled: an interpreter allocates what a compiler does away with
        long small = measure(4, 40, 2, 40);
        long deep = measure(8, 40, 2, 40);
        long wide = measure(4, 4000, 2, 40);
        System.out.println("bytes allocated for a token: 4 layers " + small + ", 8 layers " + deep
                + ", a hundred times the vocabulary " + wide);
        assertThat(small).isLessThan(512);
        assertThat(deep).isBetween(small - 64, small + 64); // a stray object of the JVM's own, never one a layer
        assertThat(wide).isBetween(small - 64, small + 64);
    }

    private long measure(int layers, int vocabulary, int threads, int tokens) throws ReflectiveOperationException {
        ModelHyperparameters graph = new ModelHyperparameters(
                "bitnet-b1.58", "", vocabulary, 1024, 128, 256, layers, 4, 2, 32, 32, 10000, 1e-5f,
                FfnActivation.RELU_SQUARED, true, true);
        Path file = TestGguf.random(graph, Outtype.I2_S, 1).write(folder.resolve(layers + "-" + vocabulary + ".gguf"));
        try (Model model =
                        Model.load(file, ModelOptions.builder().threads(threads).build());
                Session session = model.session()) {
            Sampler sampler = new Sampler(new SamplingOptions(0.8f, 40, 0.95f, 0.05f, 1.1f, 64, 1), vocabulary);
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 4; round++) { // the first grows what grows with the sequence
                session.rewind(0);
                long before = allocated();
                decode(session, sampler, tokens);
                least = Math.min(least, (allocated() - before) / tokens);
            }
            return least;
        }
    }

    private static void decode(Session session, Sampler sampler, int tokens) {
        session.feed(1);
        for (int i = 1; i < tokens; i++) {
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
