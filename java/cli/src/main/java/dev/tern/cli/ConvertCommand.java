package dev.tern.cli;

import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.LutFormat;
import dev.tern.convert.ConversionPlan;
import dev.tern.convert.ConversionReport;
import dev.tern.convert.Converter;
import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
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

/** {@code tern convert}: a Hugging Face checkpoint to a GGUF file. */
@Command(
        name = "convert",
        description = "Converts a Hugging Face checkpoint to a GGUF file. Ternary weights are kept exactly, whatever the"
                + " outtype. The checkpoint is only read; the file appears when it is whole.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tern convert bitnet-b1.58-2B-4T/ -o model.gguf --validate",
            "  tern convert checkpoint/ -o model.gguf --outtype tq2_0 --dry-run",
            "  tern convert checkpoint/ -o model.gguf --outtype tl2 --kernel-config BitNet/include/kernel_config.ini"
        })
final class ConvertCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Parameters(paramLabel = "CHECKPOINT", description = "Folder with config.json and safetensors files.")
    private Path checkpoint = Path.of("");

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
                    + " q2_k (2.6), q4_0 (4.5), q8_0 (8.5), f16, bf16, f32; auto is i2_s where it fits, else f16"
                    + " (default: ${DEFAULT-VALUE}).")
    private String outtype = "auto";

    @Mixin
    private KernelConfigOption kernelConfig = new KernelConfigOption();

    @Option(
            names = "--embedding-type",
            paramLabel = "TYPE",
            defaultValue = "f16",
            description = "Type of the embedding and of an untied head: f16, bf16, f32, q8_0, q6_k (default:"
                    + " ${DEFAULT-VALUE}).")
    private String embeddingType = "f16";

    @Option(
            names = "--arch",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "Architecture to write: auto, bitnet-b1.58, bitnet-25, bitnet or llama (default:"
                    + " ${DEFAULT-VALUE}, as config.json says).")
    private String architecture = "auto";

    @Option(names = "--validate", description = "Decode the written file and compare every ternary value and scale.")
    private boolean validate;

    @Option(names = "--dry-run", description = "Say what would be written, and write nothing.")
    private boolean dryRun;

    @Option(names = "--overwrite", description = "Replace the output if it exists.")
    private boolean overwrite;

    @Option(names = "--json", description = "Print one JSON object: the plan of --dry-run, or the report.")
    private boolean json;

    ConvertCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        if (output == null && !dryRun) {
            throw usage("Missing required option: '--output=F.gguf' (or --dry-run)");
        }
        Converter converter = Converter.from(checkpoint)
                .embeddingType(embeddingType())
                .architecture(architecture)
                .overwrite(overwrite)
                .validate(validate);
        if (!outtype.equals("auto")) {
            converter.outtype(outtype());
        }
        Path ini = kernelConfig.path();
        if (ini != null) {
            converter.kernelConfig(kernelConfig(ini));
        }
        if (dryRun || output == null) {
            ConversionPlan plan = converter.plan();
            plan.notes().forEach(terminal::note);
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
        terminal.out().print(json ? Json.document(ConversionText.json(report)) : ConversionText.text(report, terminal.verbose()));
        return ExitStatus.OK;
    }

    private Outtype outtype() {
        try {
            return Outtype.parse(outtype);
        } catch (InputException e) {
            throw usage(e.getMessage());
        }
    }

    private KernelConfig kernelConfig(Path ini) {
        Optional<LutFormat> format = outtype.equals("auto") ? Optional.empty() : outtype().lutFormat();
        if (format.isEmpty()) {
            throw usage("--kernel-config is for --outtype tl1 or tl2, whose weights are packed in tiles; found "
                    + outtype);
        }
        return KernelConfigFile.read(ini, format);
    }

    private GgmlType embeddingType() {
        return switch (embeddingType) {
            case "f16" -> GgmlType.F16;
            case "bf16" -> GgmlType.BF16;
            case "f32" -> GgmlType.F32;
            case "q8_0" -> GgmlType.Q8_0;
            case "q6_k" -> GgmlType.Q6_K;
            default ->
                throw usage("embedding type '" + embeddingType
                        + "': unknown; expected one of f16, bf16, f32, q8_0, q6_k");
        };
    }

    private ParameterException usage(@Nullable String message) {
        return new ParameterException(spec.commandLine(), String.valueOf(message));
    }
}
