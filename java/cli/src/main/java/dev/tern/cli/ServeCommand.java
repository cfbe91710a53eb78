package dev.tern.cli;

import dev.tern.Model;
import dev.tern.ModelInfo;
import dev.tern.server.Server;
import dev.tern.server.ServerOptions;
import dev.tern.server.slots.SlotOptions;
import dev.tern.server.slots.Slots;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tern serve}: a model behind HTTP, until the process is told to end. */
@Command(
        name = "serve",
        description = "Serves a model over HTTP, for the clients of llama-server and OpenAI. docs/serving.md lists the"
                + " endpoints. One line for each request goes to stderr.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tern serve -m model.gguf",
            "  tern serve -m model.gguf --host 0.0.0.0 --api-key-file keys.txt --parallel 16",
            "  curl http://127.0.0.1:30000/completion -H 'Content-Type: application/json' \\",
            "      -d '{\"prompt\": \"2+2=\", \"n_predict\": 10}'",
            "",
            "Environment: LLAMA_ARG_HOST, LLAMA_ARG_PORT (or PORT) and LLAMA_API_KEY stand in",
            "for --host, --port and --api-key.",
        })
final class ServeCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Mixin
    private EngineOptions engine = new EngineOptions();

    @Mixin
    private ChatTemplateOption chatTemplate = new ChatTemplateOption();

    @ArgGroup(validate = false, heading = "%nListening:%n")
    private ListeningOptions listening = new ListeningOptions();

    @ArgGroup(validate = false, heading = "%nAnswering:%n")
    private AnsweringOptions answering = new AnsweringOptions();

    @ArgGroup(validate = false, heading = "%nLimits:%n")
    private LimitOptions limits = new LimitOptions();

    @Option(
            names = {"-q", "--quiet"},
            description = "Write no line for a request.")
    private boolean quiet;

    ServeCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() throws InterruptedException {
        SlotOptions slots;
        ServerOptions options;
        Duration drain = limits.drain();
        try {
            slots = answering.slots();
            ServerOptions.Builder builder = ServerOptions.builder();
            listening.applyTo(builder);
            answering.applyTo(builder);
            limits.applyTo(builder);
            Build build = Build.current();
            builder.buildInfo("tern-" + build.version() + (build.commit().isEmpty() ? "" : "-" + build.commit()));
            options = builder.build();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()));
        }
        interruption.patience(drain.plusSeconds(2));
        PrintStream err = terminal.err();
        Consumer<String> log = quiet ? line -> {} : err::println;
        try (Server server = Server.start(options, log)) {
            err.println("tern: listening at " + server.uri() + ", loading " + engine.model());
            try (Model model = load(slots.parallel());
                    Slots running = Slots.open(model, slots)) {
                server.serve(model, running);
                announce(server, model.info(), slots);
                interruption.await();
                err.println("tern: stopping, once the requests at hand are answered; for " + drain.toSeconds()
                        + " s at most");
                server.drain(drain);
            }
        }
        return ExitStatus.OK;
    }

    private Model load(int parallel) {
        return engine.load(terminal, options -> {
            chatTemplate.applyTo(options);
            options.sequences(parallel);
        });
    }

    private void announce(Server server, ModelInfo info, SlotOptions slots) {
        PrintStream err = terminal.err();
        err.println(String.format(
                Locale.ROOT,
                "tern: serving %s (%s, %.2f billion parameters, %s) at %s: %d slots of %d tokens, %d threads",
                info.path().getFileName(),
                info.weightType(),
                info.parameters() * 1e-9,
                info.tier().label(),
                server.uri(),
                slots.parallel(),
                info.contextLength(),
                info.threads()));
        err.println("tern: for OpenAI's libraries: " + server.uri() + "/v1; Ctrl-C stops");
        if (!server.address().getAddress().isLoopbackAddress() && listening.keys().isEmpty()) {
            terminal.note("other machines can reach this address, and no --api-key is asked for");
        }
    }
}
