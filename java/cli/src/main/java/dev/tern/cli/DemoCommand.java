package dev.tern.cli;

import dev.tern.Generation;
import dev.tern.GenerationOptions;
import dev.tern.GenerationStats;
import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.StopReason;
import dev.tern.Token;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.ScaleDirection;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.codegen.KernelPlan;
import dev.tern.convert.ConversionReport;
import dev.tern.convert.Converter;
import dev.tern.convert.ValidationReport;
import dev.tern.convert.Validator;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Tier;
import dev.tern.lut.KernelFamily;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import dev.tern.template.ChatMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tern demo}: everything Tern does, on the packaged model, in a second or two. */
@Command(
        name = "demo",
        description = "Shows what Tern does: generates kernels for a small trained BitNet model, takes its Hugging Face"
                + " checkpoint to GGUF, and runs it on them. It knows 63 fables of Aesop by heart and tells one. Needs no"
                + " network.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {"  tern demo", "  tern demo --fable 'The Hare and the Tortoise'"})
final class DemoCommand implements Callable<Integer> {
    private static final String DEFAULT_FABLE = "The Fox and the Grapes";
    private static final int MAX_TOKENS = 400;
    private static final int FEW_TOKENS = 16;
    private static final Outtype LOOKED_UP = Outtype.TL2;
    private static final Outtype MULTIPLIED = Outtype.I2_S;

    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Option(
            names = "--fable",
            paramLabel = "TITLE",
            defaultValue = DEFAULT_FABLE,
            description = "The fable to ask for, or words of its title (default: ${DEFAULT-VALUE}).")
    private String title = DEFAULT_FABLE;

    @Option(names = "--list", description = "List the titles and do nothing else.")
    private boolean list;

    @Option(
            names = "--keep",
            paramLabel = "DIR",
            description = "Work in this new or empty folder, and leave checkpoint, kernels and GGUF files there.")
    private @Nullable Path keep;

    DemoCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        Fables fables = Fables.packaged();
        if (list) {
            fables.all().forEach(fable -> terminal.out().println(fable.title()));
            return ExitStatus.OK;
        }
        Fables.Fable fable = fables.find(title)
                .orElseThrow(() -> new ParameterException(
                        spec.commandLine(), "no fable, or more than one, is called '" + title + "'; --list lists them"));
        if (terminal.requireNative()) {
            KernelChoice.requireNative();
        }
        try (DemoFolder folder = DemoFolder.create(keep)) {
            terminal.print("Tern %s: a trained BitNet model, from checkpoint to text%n%n", Build.current().version());
            describe(folder.checkpoint());
            KernelFamily family = kernels(folder);
            convert(folder);
            validate(folder);
            Telling telling = tell(folder.model(LOOKED_UP), family, fable);
            boolean same = compare(folder, family, fable, telling.ids());
            if (keep != null) {
                terminal.print("%nKept in %s: checkpoint, kernels, the model in both types.%n", keep);
            }
            return telling.right() && same ? ExitStatus.OK : ExitStatus.INTERNAL;
        }
    }

    private void describe(Path folder) {
        long start = System.nanoTime();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            ModelHyperparameters model = checkpoint.hyperparameters();
            long weights = checkpoint.tensors().stream()
                    .mapToLong(tensor -> (long) tensor.rows() * tensor.cols())
                    .sum();
            String format = ConversionText.word(checkpoint.format());
            if (checkpoint.format() == WeightFormat.PACKED) {
                format += checkpoint.scaleDirection() == ScaleDirection.DIRECT
                        ? " 2-bit weights, to be multiplied by their scale"
                        : " 2-bit weights, to be divided by their scale";
            }
            step(
                    "checkpoint",
                    start,
                    String.format(
                            Locale.ROOT,
                            "%s, %s weights, %d layers, width %d: %s",
                            model.architecture(),
                            Sizes.count(weights),
                            model.layers(),
                            model.hiddenSize(),
                            format));
        }
    }

    /** Generates kernels for the model's matrices; says which library has them, and so how the model is to be loaded. */
    private KernelFamily kernels(DemoFolder folder) {
        interruption.check();
        long start = System.nanoTime();
        KernelPlan plan = new KernelPlan(
                Converter.from(folder.checkpoint()).outtype(LOOKED_UP).plan().tiles().kernels());
        KernelFiles files = new KernelFiles(folder.kernels());
        files.write(plan);
        step(
                "kernels",
                start,
                String.format(
                        Locale.ROOT,
                        "%s for %d matrix shapes, plan %s: %s %s, %s %s",
                        LOOKED_UP.label(),
                        plan.kernels().size(),
                        plan.hash().substring(0, 8),
                        files.header().getFileName(),
                        sizeOf(files.header()),
                        files.ini().getFileName(),
                        sizeOf(files.ini())));
        start = System.nanoTime();
        PlannedLibrary library = PlannedLibrary.provide(plan, interruption);
        step("library", start, library.text());
        return library.kernels().isPresent() ? KernelFamily.LUT : KernelFamily.MAD;
    }

    private static String sizeOf(Path file) {
        try {
            return Sizes.binary(Files.size(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void convert(DemoFolder folder) {
        interruption.check();
        long start = System.nanoTime();
        ConversionReport report = converted(folder, LOOKED_UP);
        step(
                "convert",
                start,
                String.format(
                        Locale.ROOT,
                        "GGUF, %s, %s; ternary values %s",
                        report.plan().outtype().label(),
                        Sizes.binary(report.plan().fileBytes()),
                        ConversionText.shares(ConversionText.counts(report))));
    }

    private ConversionReport converted(DemoFolder folder, Outtype type) {
        return Converter.from(folder.checkpoint())
                .outtype(type)
                .progress((phase, tensor, done, total) -> interruption.check())
                .to(folder.model(type));
    }

    private void validate(DemoFolder folder) {
        interruption.check();
        long start = System.nanoTime();
        ValidationReport report = Validator.validate(folder.model(LOOKED_UP), folder.checkpoint());
        report.requireOk();
        step("validate", start, SetupFile.words(report));
    }

    /**
     * A fable as the model told it.
     *
     * @param right whether it came word for word and ended by itself
     */
    private record Telling(int[] ids, boolean right) {}

    private Telling tell(Path file, KernelFamily family, Fables.Fable fable) {
        interruption.check();
        long start = System.nanoTime();
        try (Model model = Model.load(file, options(family))) {
            step(
                    "load",
                    start,
                    String.format(
                            Locale.ROOT,
                            "%s, %d thread%s, context %d",
                            Setup.kernels(model.info()),
                            model.info().threads(),
                            model.info().threads() == 1 ? "" : "s",
                            model.info().contextLength()));
            model.info().notes().forEach(terminal::note);
            terminal.print("%n> %s%n%n", fable.request());
            terminal.out().flush();
            Generation generation = generate(model, fable.request(), MAX_TOKENS);
            Flow.stream(generation, terminal, interruption);
            return new Telling(generation.ids(), judge(generation, fable));
        }
    }

    private ModelOptions options(KernelFamily family) {
        return ModelOptions.builder()
                .requireNative(terminal.requireNative())
                .family(family)
                .build();
    }

    /**
     * Asks the same of the model in another type, whose weights are multiplied. Without vector code a few tokens have to do:
     * a whole fable takes seconds.
     */
    private boolean compare(DemoFolder folder, KernelFamily family, Fables.Fable fable, int[] told) {
        interruption.check();
        long start = System.nanoTime();
        converted(folder, MULTIPLIED);
        try (Model model = Model.load(folder.model(MULTIPLIED), options(KernelFamily.MAD))) {
            boolean slow = model.info().tier().compareTo(Tier.AVX2) < 0;
            Generation generation = generate(model, fable.request(), slow ? FEW_TOKENS : MAX_TOKENS);
            for (Token token : generation) {
                interruption.check();
            }
            int[] ids = generation.ids();
            boolean same = Arrays.equals(ids, slow ? Arrays.copyOf(told, Math.min(told.length, FEW_TOKENS)) : told);
            terminal.out().println();
            step(
                    "compare",
                    start,
                    String.format(
                            Locale.ROOT,
                            "the checkpoint as %s%s: %s %d tokens",
                            MULTIPLIED.label(),
                            family == KernelFamily.LUT ? ", multiplied instead of looked up" : "",
                            same ? slow ? "the same first" : "the same" : "NOT the same",
                            ids.length));
            return same;
        }
    }

    private static Generation generate(Model model, String request, int tokens) {
        GenerationOptions greedy =
                GenerationOptions.builder().temperature(0).maxTokens(tokens).build();
        return model.chat(List.of(new ChatMessage("user", request)), greedy);
    }

    private boolean judge(Generation generation, Fables.Fable fable) {
        GenerationStats stats = generation.stats();
        terminal.print(
                "%n%d tokens, %.0f a second, after a prompt of %d at %.0f a second.%n",
                stats.generatedTokens(),
                stats.decodeTokensPerSecond(),
                stats.promptTokens(),
                stats.prefillTokensPerSecond());
        boolean ended = generation.stopReason() == StopReason.END_TOKEN;
        boolean exact = generation.text().equals(fable.text());
        terminal.print(
                "%s; %s.%n",
                ended ? "Ended by the model's end token" : "NOT ended by the model",
                exact ? "word for word the fable it learnt" : "NOT the fable it learnt");
        return ended && exact;
    }

    private void step(String name, long start, String text) {
        String label = String.format(Locale.ROOT, "%-11s%8s  ", name, Sizes.time(System.nanoTime() - start));
        terminal.out().println(Wrap.indented(label, text, Terminal.WIDTH));
        terminal.out().flush();
    }
}
