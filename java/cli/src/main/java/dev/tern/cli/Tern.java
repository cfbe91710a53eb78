package dev.tern.cli;

import dev.tern.kernels.KernelChoice;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The {@code tern} command: its subcommands, the options they share, and the way from their results to an exit status.
 */
@Command(
        name = "tern",
        description = "Runs ternary (BitNet b1.58) language models on ordinary CPUs: converts, verifies, generates.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Build.Provider.class,
        commandListHeading = "%nCommands:%n",
        optionListHeading = "%nOptions of every command:%n",
        footerHeading = "%nStart here:%n",
        footer = {
            "  tern demo                        a trained model, from checkpoint to text",
            "  tern convert FOLDER -o M.gguf    a Hugging Face checkpoint to GGUF (or hf://ORG/NAME)",
            "  tern run -m M.gguf -p TEXT       text from it",
            "  tern serve -m M.gguf             the same over HTTP",
            "",
            "Environment:",
            "  TERN_MAX_TIER=TIER          highest instruction set to use: scalar, avx2 ..., see doctor",
            "  TERN_NATIVE=off             compute with the Java reference",
            "  TERN_LIBRARY=PATH           the native library to load",
            "  TERN_CACHE=DIR              where native libraries and fetched models are kept",
            "  TERN_OFFLINE=1              fetch nothing, as --offline",
            "  HF_TOKEN=TOKEN              for private and gated models of Hugging Face",
            "  TERN_JAVA_OPTS=FLAGS        more flags for the Java virtual machine",
            "",
            "Exit status: 0 done; 1 the input is at fault; 2 the command line is; 70 Tern is.",
        })
public final class Tern implements Runnable {
    /** Commands that load a model as soon as their options are read. */
    private static final Set<String> LOADING = Set.of("run", "chat", "serve", "logits", "perplexity", "bench");

    private static final Set<String> HELP = Set.of("--help", "-h");
    private static final Set<String> VERSION = Set.of("--version", "-V");

    private final Terminal terminal;

    @Spec
    private CommandSpec spec;

    private Tern(Terminal terminal) {
        this.terminal = terminal;
        this.spec = CommandSpec.create(); // replaced by picocli
    }

    /** Runs one command and ends the process with its exit status. */
    public static void main(String[] args) {
        Interruption interruption = new Interruption();
        interruption.listen();
        if (loadsModel(List.of(args))) { // beside the reading of options, which takes as long
            Thread.ofPlatform().daemon().name("tern-linker").start(KernelChoice::prepare);
        }
        int status = run(Terminal.ofProcess(), interruption, args);
        interruption.finish();
        if (interruption.requested()) {
            System.exit(status); // waits for what removes temporary files
        }
        // Nothing is left to run; and exit would look through every module for somebody who logs that it was called.
        Runtime.getRuntime().halt(status);
    }

    private static boolean loadsModel(List<String> args) {
        return args.size() > 1 && LOADING.contains(args.getFirst()) && args.stream().noneMatch(HELP::contains);
    }

    /** Runs one command over the given streams. */
    static int run(Terminal terminal, Interruption interruption, String... args) {
        Failures failures = new Failures(terminal, interruption);
        try {
            StringWriter help = new StringWriter(); // picocli would print a stack trace if it could not print help
            int status = commandLine(terminal, interruption, failures, args)
                    .setOut(new PrintWriter(help))
                    .execute(args);
            terminal.out().print(help);
            terminal.out().flush();
            return status;
        } catch (Throwable e) { // from picocli's own printing, or an Error
            return failures.report(e);
        }
    }

    private static CommandLine commandLine(
            Terminal terminal, Interruption interruption, Failures failures, String[] args) {
        boolean colours = terminal.outIsTerminal() && System.getenv("NO_COLOR") == null;
        CommandLine command = new CommandLine(new Tern(terminal));
        SequencedMap<String, Supplier<Object>> subcommands = subcommands(terminal, interruption);
        Supplier<Object> wanted = args.length > 0 ? subcommands.get(args[0]) : null;
        if (wanted != null) { // reading the annotations of all the others would take another 0.1 s
            command.addSubcommand(wanted.get());
        } else if (args.length == 0 || !VERSION.contains(args[0])) {
            subcommands.values().forEach(subcommand -> command.addSubcommand(subcommand.get()));
        }
        return command.setExecutionExceptionHandler(failures)
                .setParameterExceptionHandler(failures)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setAbbreviatedOptionsAllowed(false)
                .setOverwrittenOptionsAllowed(false)
                .setUsageHelpLongOptionsMaxWidth(30)
                .setColorScheme(CommandLine.Help.defaultColorScheme(colours ? Ansi.ON : Ansi.OFF))
                .setErr(new PrintWriter(terminal.err(), true));
    }

    /** By name, in the order of the help. */
    private static SequencedMap<String, Supplier<Object>> subcommands(Terminal terminal, Interruption interruption) {
        SequencedMap<String, Supplier<Object>> commands = new LinkedHashMap<>();
        commands.put("demo", () -> new DemoCommand(terminal, interruption));
        commands.put("convert", () -> new ConvertCommand(terminal, interruption));
        commands.put("pull", () -> new PullCommand(terminal, interruption));
        commands.put("kernels", () -> new KernelsCommand(terminal, interruption));
        commands.put("setup", () -> new SetupCommand(terminal, interruption));
        commands.put("run", () -> new RunCommand(terminal, interruption));
        commands.put("chat", () -> new ChatCommand(terminal, interruption));
        commands.put("serve", () -> new ServeCommand(terminal, interruption));
        commands.put("inspect", () -> new InspectCommand(terminal, interruption));
        commands.put("validate", () -> new ValidateCommand(terminal, interruption));
        commands.put("logits", () -> new LogitsCommand(terminal, interruption));
        commands.put("tokenize", () -> new TokenizeCommand(terminal));
        commands.put("perplexity", () -> new PerplexityCommand(terminal, interruption));
        commands.put("synth", () -> new SynthCommand(terminal, interruption));
        commands.put("bench", () -> new BenchCommand(terminal, interruption));
        commands.put("compare", () -> new CompareCommand(terminal, interruption));
        commands.put("rivals", () -> new RivalsCommand(terminal, interruption));
        commands.put("report", () -> new ReportCommand(terminal));
        commands.put("doctor", () -> new DoctorCommand(terminal));
        return commands;
    }

    @Option(
            names = {"-v", "--verbose"},
            scope = ScopeType.INHERIT,
            description = "Say more; show the stack trace of an error.")
    void verbose(boolean value) {
        terminal.verbose(value);
    }

    @Option(
            names = "--no-progress",
            scope = ScopeType.INHERIT,
            description = "Draw no progress bars (none are drawn in a pipe anyway).")
    void noProgress(boolean value) {
        terminal.progress(!value);
    }

    @Option(
            names = "--require-native",
            scope = ScopeType.INHERIT,
            description = "Fail when the native kernels cannot be used, instead of computing in Java.")
    void requireNative(boolean value) {
        terminal.requireNative(value);
    }

    /** Without a subcommand. */
    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(), "a command is missing: 'tern demo' shows what Tern does");
    }
}
