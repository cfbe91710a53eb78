package dev.tern.cli;

import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.LutFormat;
import dev.tern.convert.ConversionPlan;
import dev.tern.convert.ConversionReport;
import dev.tern.convert.Converter;
import dev.tern.gguf.GgmlType;
import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import dev.tern.source.FetchOptions;
import dev.tern.source.ModelSource;
import dev.tern.ternary.KernelConfigFile;
import dev.tern.ternary.Outtype;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/** {@code tern convert}: a Hugging Face checkpoint, or a ternary GGUF file, to a GGUF file. */
@Command(
        name = "convert",
        description = "Converts a Hugging Face checkpoint, or a GGUF file that is ternary already, to a GGUF file."
                + " Ternary weights are kept exactly, whatever the outtype. The source is only read; the file appears"
                + " when it is whole.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tern convert bitnet-b1.58-2B-4T/ -o model.gguf --validate",
            "  tern convert hf://microsoft/bitnet-b1.58-2B-4T -o model.gguf --validate",
            "  tern convert checkpoint/ -o model.gguf --outtype tq2_0 --dry-run",
            "  tern convert checkpoint/ -o model.gguf --outtype tl2 --kernel-config BitNet/include/kernel_config.ini",
            "  tern convert old.gguf -o new.gguf --outtype i2_s --validate"
        })
final class ConvertCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Parameters(
            paramLabel = "SOURCE",
            description = SourceOptions.ADDRESSES + " Or a GGUF file whose matrices are ternary.")
    private String source = "";

    @Option(
            names = {"-o", "--output"},
            paramLabel = "F.gguf",
            description = "The file to write. Needed unless --dry-run.")
    private @Nullable Path output;

    @Option(
            names = "--outtype",
            paramLabel = "TYPE",
            defaultValue = "auto",
            description = "Type of the ternary tensors: i2_s, tq2_0, tl1 (2 bits a weight), tq1_0, tl2 (1.7 bits),"
                    + " q2_k (2.6), q4_0 (4.5), q8_0 (8.5), f16, bf16, f32; auto is, tensor by tensor, tq1_0 where it"
                    + " fits, else i2_s, else q4_0, else f16 (default: ${DEFAULT-VALUE}).")
    private String outtype = "auto";

    @Mixin
    private KernelConfigOption kernelConfig = new KernelConfigOption();

    @Option(
            names = "--source-kernel-config",
            paramLabel = "INI",
            description = "kernel_config.ini that a GGUF source of tl1 or tl2 weights was packed with, when it"
                    + " stores no tiles itself.")
    private @Nullable Path sourceKernelConfig;

    @Option(
            names = "--embedding-type",
            paramLabel = "TYPE",
            converter = EmbeddingTypeConverter.class,
            description = EmbeddingTypeConverter.DESCRIPTION + "f16, or that of a GGUF source).")
    private @Nullable GgmlType embeddingType;

    @Option(
            names = "--arch",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "Architecture to write: auto, bitnet-b1.58, bitnet-25, bitnet or llama (default:"
                    + " ${DEFAULT-VALUE}, as the source says).")
    private String architecture = "auto";

    @Mixin
    private SourceOptions sources = new SourceOptions();

    @Option(names = "--validate", description = "Decode the written file and compare every ternary value and scale.")
    private boolean validate;

    @Option(names = "--dry-run", description = "Say what would be written, and write nothing.")
    private boolean dryRun;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "Threads to convert on (default: one for each processor, at most 8).")
    private @Nullable Integer threads;

    @Option(names = "--overwrite", description = "Replace the output if it exists.")
    private boolean overwrite;

    @Option(names = "--json", description = "Print one JSON object: the plan of --dry-run, or the report.")
    private boolean json;

    @Option(
            names = "--report",
            paramLabel = "F.json",
            description = "Write the same JSON object to a file too: the report, or the plan of --dry-run.")
    private @Nullable Path reportFile;

    ConvertCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        if (output == null && !dryRun) {
            throw usage("Missing required option: '--output=F.gguf' (or --dry-run)");
        }
        Outtype type = outtype.equals("auto") ? null : outtype();
        Path ini = kernelConfig.path();
        KernelConfig tiles = ini == null ? null : kernelConfig(ini, type);
        if (threads != null && threads < 1) {
            throw usage("--threads: expected a positive number; found " + threads);
        }
        ModelSource from = ModelSource.parse(source);
        if (sourceKernelConfig != null && from.remote()) {
            throw usage("--source-kernel-config is for a GGUF file, which is not fetched; found " + from.label());
        }
        requireRoomFor(dryRun ? null : output);
        Converter converter = Converter.from(
                        sources.fetch(from, FetchOptions.builder(), terminal, interruption).path())
                .architecture(architecture)
                .tensorHashes(json || reportFile != null) // which alone show them
                .overwrite(overwrite)
                .validate(validate);
        if (type != null) {
            converter.outtype(type);
        }
        if (embeddingType != null) {
            converter.embeddingType(embeddingType);
        }
        if (sourceKernelConfig != null) {
            converter.sourceKernelConfig(sourceKernelConfig);
        }
        if (threads != null) {
            converter.threads(threads);
        }
        if (tiles != null) {
            converter.kernelConfig(tiles);
        }
        if (dryRun || output == null) {
            ConversionPlan plan = converter.plan();
            plan.notes().forEach(terminal::note);
            report(ConversionText.json(plan));
            terminal.out().print(json ? Json.document(ConversionText.json(plan)) : ConversionText.text(plan));
            return ExitStatus.OK;
        }
        ConversionReport report;
        try (Progress progress = new Progress(terminal, interruption)) {
            report = converter
                    .progress((phase, tensor, done, total) ->
                            progress.at(phase.name().toLowerCase(Locale.ROOT), done, total, "MiB", 1 << 20))
                    .to(output);
        }
        report.notes().forEach(terminal::note);
        report(ConversionText.json(report));
        terminal.out().print(json
                ? Json.document(ConversionText.json(report))
                : ConversionText.text(report, terminal.verbose()));
        return ExitStatus.OK;
    }

    /** Finds out before gigabytes are fetched whether files can be written where they shall be. */
    private void requireRoomFor(@Nullable Path gguf) {
        if (gguf != null) {
            AtomicFile.create(gguf, overwrite).close();
        }
        if (reportFile != null) {
            AtomicFile.create(reportFile, true).close();
        }
    }

    private void report(JsonNode document) {
        if (reportFile != null) {
            AtomicText.write(reportFile, Json.document(document));
        }
    }

    private Outtype outtype() {
        try {
            return Outtype.parse(outtype);
        } catch (InputException e) {
            throw usage(e.getMessage());
        }
    }

    private KernelConfig kernelConfig(Path ini, @Nullable Outtype type) {
        Optional<LutFormat> format = type == null ? Optional.empty() : type.lutFormat();
        if (format.isEmpty()) {
            throw usage("--kernel-config is for --outtype tl1 or tl2, whose weights are packed in tiles; found "
                    + outtype);
        }
        return KernelConfigFile.read(ini, format);
    }

    private ParameterException usage(@Nullable String message) {
        return new ParameterException(spec.commandLine(), String.valueOf(message));
    }
}
