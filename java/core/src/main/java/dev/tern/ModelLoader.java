package dev.tern;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.ThreadAffinity;
import dev.tern.model.Engine;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.GgufWeights;
import dev.tern.model.LayoutChoice;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.ModelWeights;
import dev.tern.model.Processors;
import dev.tern.model.ThreadTeam;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Collectors;

/** From a file and options to a {@link Model}: what is read beside what, and what is closed again when it fails. */
final class ModelLoader {
    private ModelLoader() {}

    static Model load(Path gguf, ModelOptions options) {
        long start = System.nanoTime();
        List<String> notes = new ArrayList<>();
        Kernels kernels = kernels(options, notes);
        List<AutoCloseable> opened = new ArrayList<>();
        try {
            GgufFile file = GgufFile.open(gguf);
            opened.add(file);
            ModelHyperparameters model = GgufHyperparameters.read(file);
            requireCacheType(gguf, model, options.cacheType());
            if (options.kernels().isEmpty()) {
                Thread.ofPlatform().daemon().name("tern-linker").start(KernelChoice::prepare);
            }
            FutureTask<Tokenizer> reading = new FutureTask<>(() -> tokenizer(file, model)); // from memory of its own
            Thread.ofPlatform().daemon().name("tern-tokenizer").start(reading);
            ThreadTeam team = team(options);
            opened.add(team);
            Arena arena = Arena.ofShared();
            opened.add(arena);
            GgufWeights.Options how = new GgufWeights.Options(
                    kernels,
                    options.family(),
                    options.kernelConfig().orElse(null),
                    LayoutChoice.of(
                            kernels.tier(), team.size(), options.sequences(), options.layout(), options.mapped()),
                    options.waiting());
            ModelWeights weights = GgufWeights.load(file, model, how, team, arena, notes);
            int context = options.contextLength() > 0 ? options.contextLength() : model.contextLength();
            if (context > model.contextLength()) {
                notes.add("a context of " + context + " tokens is longer than the " + model.contextLength()
                        + " that the model was trained for; expect worse text beyond them");
            }
            if (model.diffusionBlock() > 0) {
                notes.add("the model was fine-tuned to fill in blocks of " + model.diffusionBlock()
                        + " tokens by diffusion; it is decoded here as a causal model, one token after the other");
            }
            Engine engine = new Engine(
                    model,
                    weights,
                    kernels,
                    team,
                    context,
                    options.batchSize(),
                    options.cacheType(),
                    options.screen(),
                    () -> {
                        arena.close();
                        file.close();
                    });
            Tokenizer tokenizer = null;
            InputException tokenizerProblem = null;
            try {
                tokenizer = result(reading);
                notes.addAll(tokenizer.vocabulary().notes());
            } catch (InputException e) {
                tokenizerProblem = e;
                notes.add("only token ids can be used with this model: " + e.getMessage());
            }
            double seconds = (System.nanoTime() - start) * 1e-9;
            return new Model(
                    engine, info(file, engine, seconds, notes), tokenizer, tokenizerProblem, options.chatTemplate());
        } catch (Throwable thrown) {
            closeAll(opened, thrown);
            throw thrown;
        }
    }

    /** Waits for it, whoever interrupts. */
    private static Tokenizer result(FutureTask<Tokenizer> reading) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return reading.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            throw switch (e.getCause()) {
                case RuntimeException unchecked -> unchecked;
                case Error error -> throw error;
                case null, default -> new IllegalStateException(e);
            };
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void requireCacheType(Path gguf, ModelHyperparameters model, FloatType type) {
        if (model.headDim() % type.blockSize() != 0) {
            throw InputException.at(gguf)
                    .problem("the cache cannot be " + type.name().toLowerCase(Locale.ROOT)
                            + ", which stores blocks of " + type.blockSize() + " numbers of a head")
                    .expected("a head dimension that is a multiple of " + type.blockSize())
                    .found(model.headDim())
                    .cure("Use the cache type f16.")
                    .exception();
        }
    }

    private static Kernels kernels(ModelOptions options, List<String> notes) {
        if (options.kernels().isPresent()) {
            return options.kernels().get();
        }
        KernelChoice choice = options.requireNative() ? KernelChoice.requireNative() : KernelChoice.best();
        notes.addAll(choice.notes());
        return choice.kernels();
    }

    private static ThreadTeam team(ModelOptions options) {
        int threads = options.threadCount();
        if (!options.pin()) {
            return new ThreadTeam(threads);
        }
        List<Integer> processors = Processors.current().order();
        Optional<String> obstacle = threads > processors.size()
                ? Optional.of(threads + " threads are more than the " + processors.size()
                        + " processors that the process may use")
                : ThreadAffinity.obstacle();
        try {
            if (obstacle.isEmpty()) {
                return new ThreadTeam(threads, processors);
            }
        } catch (UnsupportedOperationException e) {
            obstacle = Optional.of(String.valueOf(e.getMessage()));
        }
        throw InputException.at("threads")
                .problem("they cannot be bound to processors: " + obstacle.get())
                .cure("Leave the option out: the system finds places for them.")
                .exception();
    }

    private static Tokenizer tokenizer(GgufFile file, ModelHyperparameters model) {
        Vocabulary vocabulary = Vocabulary.ofGguf(file.metadata(), file.path());
        if (vocabulary.size() != model.vocabSize()) {
            throw InputException.at(file.path())
                    .key("tokenizer.ggml.tokens")
                    .problem("the vocabulary and the embedding differ in size")
                    .expected(model.vocabSize() + " tokens")
                    .found(vocabulary.size())
                    .exception();
        }
        return Tokenizer.of(vocabulary);
    }

    private static ModelInfo info(GgufFile file, Engine engine, double seconds, List<String> notes) {
        Set<GgmlType> types = file.tensors().stream()
                .filter(tensor -> tensor.dims().length > 1 && tensor.name().startsWith("blk."))
                .map(GgufTensor::type)
                .collect(Collectors.toCollection(TreeSet::new));
        return new ModelInfo(
                file.path(),
                file.size(),
                engine.weights().byteSize(),
                file.tensors().stream().mapToLong(GgufTensor::elements).sum(),
                types.stream().map(GgmlType::name).collect(Collectors.joining(", ")),
                file.require("token_embd.weight").type().name(),
                engine.kernels().tier(),
                engine.weights().lutKernels().map(LutKernels::toString),
                engine.weights().layout(),
                engine.threads(),
                engine.contextLength(),
                engine.batchSize(),
                engine.cacheType(),
                seconds,
                notes);
    }

    private static void closeAll(List<AutoCloseable> opened, Throwable thrown) {
        for (AutoCloseable resource : opened.reversed()) {
            try {
                resource.close();
            } catch (Exception e) {
                thrown.addSuppressed(e);
            }
        }
    }
}
