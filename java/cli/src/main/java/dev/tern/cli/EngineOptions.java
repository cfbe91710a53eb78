package dev.tern.cli;

import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.kernels.FloatType;
import dev.tern.model.HeadScreen;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which model, and how it is computed. */
final class EngineOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create(); // replaced by picocli

    @Option(
            names = {"-m", "--model"},
            required = true,
            paramLabel = "F.gguf",
            description = "The model.")
    private Path model = Path.of("");

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "Threads that compute (default: one a physical core that the process may use). The result"
                    + " does not depend on it.")
    private @Nullable Integer threads;

    @Option(
            names = "--pin",
            description = "Bind each thread to a processor of its own, physical cores first (Linux).")
    private boolean pin;

    @Option(
            names = {"-c", "--ctx-size"},
            paramLabel = "N",
            description = "Context in tokens, prompt and answer together (default: what the model was trained for).")
    private @Nullable Integer context;

    @Option(
            names = "--cache-type",
            paramLabel = "f16|f32|q8_0",
            converter = CacheTypeConverter.class,
            description = {
                "Numbers of the KV cache (default: f16). f32 takes twice the memory and loses nothing;",
                "q8_0 takes half and loses a little, for long contexts."
            })
    private @Nullable FloatType cacheType;

    @Option(
            names = {"-b", "--batch-size"},
            paramLabel = "N",
            description = "Tokens of the prompt processed at once (default: 512). The result does not depend on it.")
    private @Nullable Integer batch;

    @Option(
            names = "--screen",
            paramLabel = "auto|on|off",
            description = {
                "Spare most of the head's work where only the most likely tokens matter (default: auto, once it pays).",
                "Takes memory. The result does not depend on it."
            })
    private @Nullable HeadScreen screen;

    @Mixin
    private KernelFamilyOptions kernels = new KernelFamilyOptions();

    @Mixin
    private LayoutOptions layout = new LayoutOptions();

    Path model() {
        return model;
    }

    /** The context asked for. */
    OptionalInt context() {
        return requirePositive("--ctx-size", context);
    }

    /** Loads the model; says on stderr what is not as it could be. */
    Model load(Terminal terminal) {
        return load(terminal, options -> {});
    }

    /** As the other, with what a command has options of its own for. */
    Model load(Terminal terminal, Consumer<ModelOptions.Builder> more) {
        ModelOptions.Builder options = ModelOptions.builder().requireNative(terminal.requireNative()).pin(pin);
        requirePositive("--threads", threads).ifPresent(options::threads);
        requirePositive("--ctx-size", context).ifPresent(options::contextLength);
        requirePositive("--batch-size", batch).ifPresent(options::batchSize);
        kernels.applyTo(options, terminal);
        layout.applyTo(options);
        if (cacheType != null) {
            options.cacheType(cacheType);
        }
        if (screen != null) {
            options.screen(screen);
        }
        more.accept(options);
        ModelOptions built;
        try {
            built = options.build();
        } catch (IllegalArgumentException e) {
            throw new Usage(command).error(e.getMessage());
        }
        Model loaded = Model.load(model, built);
        loaded.info().notes().forEach(terminal::note);
        return loaded;
    }

    private OptionalInt requirePositive(String option, @Nullable Integer value) {
        if (value == null) {
            return OptionalInt.empty();
        }
        return OptionalInt.of(new Usage(command).atLeast(option, 1, value.intValue()));
    }
}
