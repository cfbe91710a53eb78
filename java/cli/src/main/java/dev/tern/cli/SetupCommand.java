package dev.tern.cli;

import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelChoice;
import dev.tern.source.FetchOptions;
import dev.tern.source.ModelSource;
import dev.tern.ternary.KernelConfigFile;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tern setup}: from a checkpoint to the first tokens, in one. */
@Command(
        name = "setup",
        description = "Takes a Hugging Face checkpoint all the way to its first tokens: inspects it, generates and builds"
                + " the kernels that tl2 and tl1 need, converts, validates, runs. What is done already and still right is"
                + " not done again, so an interrupted setup goes on when it is called again.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tern setup bitnet-b1.58-2B-4T/",
            "  tern setup hf://microsoft/bitnet-b1.58-2B-4T",
            "  tern setup checkpoint/ -q i2_s -o model/ -p 'What is a tern?'"
        })
final class SetupCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Parameters(paramLabel = "CHECKPOINT", description = SourceOptions.ADDRESSES)
    private String checkpoint = "";

    @Mixin
    private SourceOptions sources = new SourceOptions();

    @Option(
            names = {"-q", "--outtype"},
            paramLabel = "TYPE",
            defaultValue = "tl2",
            description = "Type of the ternary tensors: tl2, tl1, i2_s, tq1_0, tq2_0, f16, bf16, f32 (default:"
                    + " ${DEFAULT-VALUE}).")
    private String outtype = "tl2";

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description = "The folder for all that is made; it is made if need be (default: the checkpoint's name and the"
                    + " type, in the current folder).")
    private @Nullable Path output;

    @Option(
            names = "--kernel-config",
            paramLabel = "INI",
            description = "The tiles for tl1 or tl2, such as a kernel_config.ini of bitnet.cpp (default: that in DIR, else"
                    + " Tern's choice).")
    private @Nullable Path kernelConfig;

    @Option(
            names = "--embedding-type",
            paramLabel = "TYPE",
            defaultValue = "f16",
            converter = EmbeddingTypeConverter.class,
            description = EmbeddingTypeConverter.DESCRIPTION + "${DEFAULT-VALUE}).")
    private GgmlType embeddingType = GgmlType.F16;

    @Option(
            names = {"-p", "--prompt"},
            paramLabel = "TEXT",
            defaultValue = "What is a tern?",
            description = "What the model is asked, in its chat template when it has one (default: \"${DEFAULT-VALUE}\").")
    private String prompt = "";

    @Option(
            names = {"-n", "--n-predict"},
            paramLabel = "N",
            defaultValue = "32",
            description = "Tokens to generate at most (default: ${DEFAULT-VALUE}).")
    private int tokens = 32;

    @Option(names = "--json", description = "Print one JSON object at the end: steps, files, text, timings.")
    private boolean json;

    SetupCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        Outtype type = outtype();
        if (kernelConfig != null) {
            if (type.lutFormat().isEmpty()) {
                throw usage("--kernel-config is for -q tl1 or tl2, whose weights are packed in tiles; found "
                        + type.label());
            }
            KernelConfigFile.read(kernelConfig, type.lutFormat()); // before anything is fetched
        }
        new Usage(spec).atLeast("-n", 1, tokens);
        ModelSource source = ModelSource.parse(checkpoint);
        String name = source.name() + "-" + type.label();
        Path folder = output == null ? Path.of(name) : output;
        if (terminal.requireNative()) {
            KernelChoice.requireNative(); // not after a download
        }
        Path local = sources.fetch(source, FetchOptions.builder(), terminal, interruption).path();
        requireApart(local, folder);
        new Setup(
                        new Setup.Request(
                                local,
                                type,
                                embeddingType,
                                folder,
                                folder.resolve(name + ".gguf"),
                                kernelConfig,
                                prompt,
                                tokens,
                                json),
                        terminal,
                        interruption)
                .run();
        return ExitStatus.OK;
    }

    /** A checkpoint is only read, so nothing may be made in it. */
    private static void requireApart(Path checkpoint, Path folder) {
        Path source = real(checkpoint);
        if (Files.isRegularFile(source)) { // one safetensors file stands for its folder
            source = source.getParent();
        }
        if (real(folder).startsWith(source)) {
            throw InputException.at(folder)
                    .problem("lies in the checkpoint, which is only read")
                    .cure("Name a folder outside of it with -o.")
                    .exception();
        }
    }

    /** Through links, as far as the path exists. */
    private static Path real(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        for (Path there = absolute; there != null; there = there.getParent()) {
            try {
                return there.toRealPath().resolve(there.relativize(absolute));
            } catch (IOException e) {
                // not there yet, or not to be seen: its parent
            }
        }
        return absolute;
    }

    private Outtype outtype() {
        try {
            return Outtype.parse(outtype);
        } catch (InputException e) {
            throw usage(e.getMessage());
        }
    }

    private ParameterException usage(@Nullable String message) {
        return new ParameterException(spec.commandLine(), String.valueOf(message));
    }
}
