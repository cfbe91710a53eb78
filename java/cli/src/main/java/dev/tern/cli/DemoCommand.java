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
import dev.tern.convert.ConversionReport;
import dev.tern.convert.Converter;
import dev.tern.convert.ValidationReport;
import dev.tern.convert.Validator;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import dev.tern.template.ChatMessage;
import java.nio.file.Path;
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
        description = "Shows what Tern does: takes a small trained BitNet model from its Hugging Face checkpoint to GGUF"
                + " to text. It knows 63 fables of Aesop by heart and tells one. Needs no network.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {"  tern demo", "  tern demo --fable 'The Hare and the Tortoise'"})
final class DemoCommand implements Callable<Integer> {
    private static final String DEFAULT_FABLE = "The Fox and the Grapes";
    private static final int MAX_TOKENS = 400;

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
            description = "Work in this new or empty folder, and leave checkpoint and GGUF file there.")
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
        try (DemoFolder folder = DemoFolder.create(keep)) {
            terminal.print("Tern %s: a trained BitNet model, from checkpoint to text%n%n", Build.current().version());
            describe(folder.checkpoint());
            convert(folder);
            validate(folder);
            boolean right = tell(folder.model(), fable);
            if (keep != null) {
                terminal.print("%nKept: %s, %s%n", folder.checkpoint(), folder.model());
            }
            return right ? ExitStatus.OK : ExitStatus.INTERNAL;
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

    private void convert(DemoFolder folder) {
        long start = System.nanoTime();
        ConversionReport report = Converter.from(folder.checkpoint())
                .outtype(Outtype.I2_S)
                .progress((phase, tensor, done, total) -> interruption.check())
                .to(folder.model());
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

    private void validate(DemoFolder folder) {
        interruption.check();
        long start = System.nanoTime();
        ValidationReport report = Validator.validate(folder.model(), folder.checkpoint());
        report.requireOk();
        step(
                "validate",
                start,
                String.format(
                        Locale.ROOT,
                        "%d ternary tensors read back, %s weights, every one as in the checkpoint",
                        report.ternaryTensors(),
                        Sizes.count(report.ternaryWeights())));
    }

    /** Asks for the fable; whether it came word for word and ended by itself. */
    private boolean tell(Path file, Fables.Fable fable) {
        interruption.check();
        long start = System.nanoTime();
        ModelOptions options =
                ModelOptions.builder().requireNative(terminal.requireNative()).build();
        try (Model model = Model.load(file, options)) {
            step(
                    "load",
                    start,
                    String.format(
                            Locale.ROOT,
                            "kernels %s, %d thread%s, context %d",
                            model.info().tier().label(),
                            model.info().threads(),
                            model.info().threads() == 1 ? "" : "s",
                            model.info().contextLength()));
            model.info().notes().forEach(terminal::note);
            terminal.print("%n> %s%n%n", fable.request());
            terminal.out().flush();
            Generation generation = generate(model, fable.request());
            stream(generation);
            return judge(generation, fable);
        }
    }

    private static Generation generate(Model model, String request) {
        GenerationOptions greedy =
                GenerationOptions.builder().temperature(0).maxTokens(MAX_TOKENS).build();
        return model.chat(List.of(new ChatMessage("user", request)), greedy);
    }

    private void stream(Generation generation) {
        if (!terminal.outIsTerminal()) {
            for (Token token : generation) {
                interruption.check();
                terminal.out().print(token.text());
                terminal.out().flush();
            }
            terminal.out().println();
            return;
        }
        Flow flow = new Flow(terminal.out(), "  ", Terminal.WIDTH - 2);
        for (Token token : generation) {
            interruption.check();
            flow.print(token.text());
        }
        flow.end();
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
