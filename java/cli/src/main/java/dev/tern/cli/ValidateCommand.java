package dev.tern.cli;

import dev.tern.convert.ValidationReport;
import dev.tern.convert.Validator;
import dev.tern.gguf.GgufFile;
import dev.tern.io.AtomicFile;
import dev.tern.ternary.KernelConfigFile;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tern validate}: is a GGUF file whole, and what its checkpoint says? */
@Command(
        name = "validate",
        description = "Decodes every tensor of a GGUF file; with --against compares each ternary value and scale with"
                + " the checkpoint it came from, the tokenizers on texts, and what both models make of a prompt. Exit"
                + " status 1 when something is wrong. With -v lists the matrices.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExample:%n",
        footer = "  tern validate model.gguf --against checkpoint/")
final class ValidateCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Parameters(paramLabel = "F.gguf", description = "The file.")
    private Path file = Path.of("");

    @Option(
            names = "--against",
            paramLabel = "CHECKPOINT",
            description = "What it was converted from: a checkpoint's folder or address (hf://, gs://, https://), or a GGUF"
                    + " file.")
    private @Nullable String checkpoint;

    @Mixin
    private SourceOptions sources = new SourceOptions();

    @Mixin
    private KernelConfigOption kernelConfig = new KernelConfigOption();

    @Option(
            names = "--source-kernel-config",
            paramLabel = "INI",
            description = "kernel_config.ini that a GGUF file named by --against was packed with, when it holds tl1 or tl2"
                    + " and stores no tiles itself.")
    private @Nullable Path sourceKernelConfig;

    @Option(names = "--json", description = "Print one JSON object: ok, problems, what was compared.")
    private boolean json;

    @Option(names = "--report", paramLabel = "F.json", description = "Write the same JSON object to a file too.")
    private @Nullable Path reportFile;

    ValidateCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        requireFiles();
        Path against = checkpoint == null ? null : sources.checkpoint(checkpoint, terminal, interruption);
        ValidationReport report;
        try (Progress progress = new Progress(terminal, interruption)) {
            report = Validator.validate(
                    file,
                    against,
                    kernelConfig.path(),
                    sourceKernelConfig,
                    (phase, tensor, done, total) -> progress.at("validate", done, total, "MiB", 1 << 20));
        }
        if (reportFile != null) {
            AtomicText.write(reportFile, Json.document(ValidationText.json(report)));
        }
        terminal.out().print(json
                ? Json.document(ValidationText.json(report))
                : ValidationText.text(report, terminal.verbose()));
        return report.ok() ? ExitStatus.OK : ExitStatus.INPUT;
    }

    /** Finds out before gigabytes are fetched whether there is a file to compare with them. */
    private void requireFiles() {
        try (GgufFile open = GgufFile.open(file)) {
            KernelConfigFile.tiles(open, kernelConfig.path());
        }
        if (reportFile != null) {
            AtomicFile.create(reportFile, true).close();
        }
    }
}
