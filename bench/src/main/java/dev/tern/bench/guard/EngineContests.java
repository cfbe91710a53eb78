package dev.tern.bench.guard;

import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.Session;
import dev.tern.bench.RandomMemory;
import dev.tern.bench.SyntheticHead;
import dev.tern.bench.SyntheticModel;
import dev.tern.bench.guard.Contest.Way;
import dev.tern.kernels.Activations;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
import dev.tern.kernels.Tier;
import dev.tern.model.Engine;
import dev.tern.model.FfnActivation;
import dev.tern.model.HeadScreen;
import dev.tern.model.KvCache;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.ModelWeights;
import dev.tern.model.ThreadTeam;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** What the engine makes of kernels: batches, threads, screens. Ratios behind the least ones are those of Zen 4. */
final class EngineContests implements AutoCloseable {
    private static final int CONTEXT = 64;
    private static final int PROMPT = 16; // some milliseconds: a pass may be left alone on a busy machine
    private static final int VOCABULARY = 512; // so small that a prompt gains by its batch, and little by its one head

    private final Arena arena = Arena.ofShared();
    private final RandomMemory memory = new RandomMemory(arena);
    private final List<Runnable> opened = new ArrayList<>();
    private final SyntheticModel file;
    private final Kernels best;

    EngineContests(Kernels best) throws IOException {
        this.best = best;
        file = new SyntheticModel(4, VOCABULARY); // of the last layer a prompt needs little
    }

    @Override
    public void close() throws IOException {
        opened.reversed().forEach(Runnable::run);
        file.close();
        arena.close();
    }

    private Session session(Kernels kernels, int threads) {
        return session(options(kernels, threads));
    }

    private Session session(ModelOptions.Builder options) {
        Model model = Model.load(file.file(), options.build());
        opened.add(model::close);
        return model.session();
    }

    private static ModelOptions.Builder options(Kernels kernels, int threads) {
        return ModelOptions.builder().threads(threads).contextLength(CONTEXT).kernels(kernels);
    }

    private static Way decode(String name, Session session) {
        int[] token = {1};
        return new Way(name, 1, () -> {
            if (session.position() == CONTEXT) {
                session.rewind(0);
            }
            session.feed(token);
        });
    }

    private static Way prefill(String name, Session session) {
        return new Way(name, PROMPT, () -> {
            session.rewind(0);
            session.feed(ids());
        });
    }

    private static int[] ids() {
        return IntStream.range(1, 1 + PROMPT).toArray();
    }

    /** Native kernels under a whole model against the reference in Java. */
    Contest kernelsAgainstJava() {
        return new Contest(
                "decode, whole model",
                decode(best.tier().label(), session(best, 1)),
                decode("java", session(KernelChoice.of(Tier.JAVA), 1)),
                5); // 60 to 90
    }

    /**
     * A token of a prompt takes part in a batch, which unpacks weights once for many. With the logits of all tokens, so
     * that both ways do the same work and take about as long; and with the base tier, which gains most by it: from a
     * cache AVX-512 computes one token nearly as fast.
     */
    Contest prefillAgainstDecode(Kernels base) {
        Session together = session(base, 1);
        Session one = session(base, 1);
        return new Contest(
                "a prompt, whole model",
                new Way("one pass", PROMPT, () -> {
                    together.rewind(0);
                    together.feed(ids(), (position, logits) -> {});
                }),
                new Way("token by token", PROMPT, () -> {
                    one.rewind(0);
                    for (int id : ids()) {
                        one.feed(id);
                    }
                }),
                1.2); // 1.9 with AVX2
    }

    /**
     * Two threads against one, in one layout: by themselves two may take another one than a lone thread, which is
     * slower in prompts. Where two threads without an engine gain nothing, as on one core that announces two processors
     * or beside other work, the machine cannot show it.
     */
    Contest twoThreads() {
        return new Contest(
                "prefill, threads",
                prefill("2", session(options(best, 2).layout(TernaryLayout.ROWS))),
                prefill("1", session(options(best, 1).layout(TernaryLayout.ROWS))),
                1.15, // 1.4 to 1.8
                Optional.of(twoProcessors()));
    }

    /** The same kernel on two threads that do not know of each other, and twice on one. */
    private Contest twoProcessors() {
        int rows = 512;
        int cols = 1024;
        TernaryWeights w = memory.ternary(best, rows, cols, TernaryLayout.ROWS);
        Activations a = memory.activations(best, PROMPT, cols);
        MemorySegment y = memory.bytes(4L * PROMPT * rows);
        MemorySegment z = memory.bytes(4L * PROMPT * rows);
        Runnable one = () -> repeat(w, a, y);
        Runnable other = () -> repeat(w, a, z);
        return new Contest("two processors", new Way("2", 2, () -> together(one, other)), new Way("1", 1, one), 1.6);
    }

    private void repeat(TernaryWeights w, Activations a, MemorySegment y) {
        for (int i = 0; i < 96; i++) { // as long as the prompt takes; a thread's start is little beside it
            best.ternaryMatmul(w, a, PROMPT, 0, w.rows(), y, w.rows());
        }
    }

    private static void together(Runnable one, Runnable other) {
        Thread thread = Thread.ofPlatform().start(other);
        one.run();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The likeliest token by a screen of few bits against the whole head, on a head with a trained one's spectrum. */
    Contest screenAgainstWholeHead() {
        int rows = 16_384;
        int cols = 1024;
        SyntheticHead synthetic = new SyntheticHead(SyntheticHead.Kind.SPECTRUM, rows, cols);
        FloatWeights head = synthetic.head(arena, FloatType.F32);
        FloatWeights states = synthetic.states(arena, CONTEXT);
        return new Contest(
                "head, the likeliest token",
                head("screened", head, states, HeadScreen.ON),
                head("whole", head, states, HeadScreen.OFF),
                1.25); // 2.4 to 3
    }

    private Way head(String name, FloatWeights head, FloatWeights states, HeadScreen screen) {
        MemorySegment ones = memory.bytes(4L * head.cols());
        for (int c = 0; c < head.cols(); c++) {
            ones.setAtIndex(ValueLayout.JAVA_FLOAT, c, 1);
        }
        ModelHyperparameters model = new ModelHyperparameters(
                "llama", "head", head.rows(), 8, head.cols(), 32, 1, 1, 1, 32, 32, 10_000f, 1e-6f, FfnActivation.SILU,
                false, false);
        Engine engine = new Engine(
                model,
                new ModelWeights(states, List.of(), ones, head),
                best,
                new ThreadTeam(1),
                8,
                8,
                FloatType.F16,
                screen,
                () -> {});
        opened.add(engine::close);
        KvCache cache = engine.newCache();
        opened.add(cache::close);
        MemorySegment logits = memory.bytes(4L * head.rows());
        int[] token = {0};
        return new Way(name, 1, () -> {
            engine.evaluate(cache, 0, token, 0, 1, 0, logits, 1);
            token[0] = (token[0] + 1) % states.rows();
        });
    }
}
