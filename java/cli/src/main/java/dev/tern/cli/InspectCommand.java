package dev.tern.cli;

import dev.tern.inspect.Inspection;
import dev.tern.inspect.Inspector;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tern inspect}: what a GGUF file or a checkpoint is, and what is wrong with it. */
@Command(
        name = "inspect",
        description = "Says what a GGUF file or a checkpoint is: architecture, types, ternary statistics, tokenizer, how"
                + " well it predicts a short text, and what is wrong with it. Exit status 1 when it is broken.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExample:%n",
        footer = "  tern inspect model.gguf --tensors")
final class InspectCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Parameters(
            paramLabel = "F.gguf|CHECKPOINT",
            description = "The file, or the checkpoint's folder or address (hf://, gs://, https://).")
    private String path = "";

    @Mixin
    private SourceOptions sources = new SourceOptions();

    @Mixin
    private KernelConfigOption kernelConfig = new KernelConfigOption();

    @Option(names = "--tensors", description = "List every tensor too.")
    private boolean tensors;

    @Option(
            names = "--no-probe",
            description = "Do not run the model on a short text, which shows weights in a wrong order, inverted scales, another"
                    + " activation or no training at all.")
    private boolean noProbe;

    @Option(names = "--json", description = "Print one JSON object, with every tensor.")
    private boolean json;

    InspectCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        Inspector.Options options = new Inspector.Options(kernelConfig.path(), !noProbe, text -> {
            if (terminal.verbose()) {
                terminal.note(text);
            }
        });
        Inspection inspection = Inspector.inspect(sources.checkpoint(path, terminal, interruption), options);
        terminal.out().print(json
                ? Json.document(InspectionText.json(inspection))
                : InspectionText.text(inspection, tensors));
        return inspection.broken() ? ExitStatus.INPUT : ExitStatus.OK;
    }
}
