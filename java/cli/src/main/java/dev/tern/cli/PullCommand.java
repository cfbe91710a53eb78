package dev.tern.cli;

import dev.tern.source.CachedModel;
import dev.tern.source.FetchOptions;
import dev.tern.source.FetchedModel;
import dev.tern.source.ModelSource;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code tern pull}: a checkpoint from a server to this machine. */
@Command(
        name = "pull",
        description = "Fetches what Tern needs of a checkpoint: weights, configuration, tokenizer, chat template."
                + " Prints the folder. What broke off is taken up again; what is there is not fetched again.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tern pull hf://microsoft/bitnet-b1.58-2B-4T",
            "  tern pull hf://ORG/NAME@v1.0/SUBFOLDER -o checkpoint/",
            "  tern pull gs://BUCKET/FOLDER",
            "  tern pull --list"
        })
final class PullCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Parameters(
            arity = "0..1",
            paramLabel = "SOURCE",
            description = "hf://ORG/NAME[@REVISION][/SUBFOLDER], gs://BUCKET/FOLDER or https://HOST/FOLDER/.")
    private @Nullable String source;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description = "A folder for it: new, empty, or of an earlier pull (default: one in the cache).")
    private @Nullable Path output;

    @Option(names = "--config-only", description = "Leave the weights away.")
    private boolean configOnly;

    @Option(names = "--list", description = "List the models in the cache instead.")
    private boolean list;

    @Mixin
    private SourceOptions sources = new SourceOptions();

    @Option(names = "--json", description = "Print JSON: the folder, the revision, the notes.")
    private boolean json;

    PullCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        String address = source;
        if (list == (address != null)) {
            throw usage(list ? "--list takes no SOURCE" : "Missing required parameter: 'SOURCE' (or --list)");
        }
        if (address == null) {
            print(CachedModel.list(FetchOptions.defaults()));
            return ExitStatus.OK;
        }
        ModelSource parsed = ModelSource.parse(address);
        if (!parsed.remote()) {
            throw usage("SOURCE is on this machine already: " + address);
        }
        FetchOptions.Builder options = FetchOptions.builder().weights(!configOnly);
        if (output != null) {
            options.folder(output);
        }
        FetchedModel model = sources.fetch(parsed, options, terminal, interruption);
        if (json) {
            ObjectNode document = Json.object();
            document.put("source", model.source());
            document.put("revision", model.revision().orElse(null));
            document.put("path", model.path().toString());
            document.put("fetched_bytes", model.fetchedBytes());
            ArrayNode notes = document.putArray("notes");
            model.notes().forEach(notes::add);
            terminal.out().print(Json.document(document));
        } else {
            terminal.out().println(model.path());
        }
        return ExitStatus.OK;
    }

    private void print(List<CachedModel> models) {
        if (json) {
            ObjectNode document = Json.object();
            ArrayNode array = document.putArray("models");
            models.forEach(model -> array.addObject()
                    .put("source", model.source())
                    .put("revision", model.revision())
                    .put("folder", model.folder().toString())
                    .put("bytes", model.bytes())
                    .put("whole", model.whole())
                    .put("configuration_only", model.configurationOnly()));
            terminal.out().print(Json.document(document));
            return;
        }
        if (models.isEmpty()) {
            terminal.print("no models in %s%n", CachedModel.folder(FetchOptions.defaults()));
        }
        for (CachedModel model : models) {
            terminal.print(
                    "%s, %s: %s%s%n    %s%n",
                    model.source(),
                    model.revision(),
                    Sizes.binary(model.bytes()),
                    model.whole() ? "" : model.configurationOnly() ? ", configuration only" : ", not whole",
                    model.folder());
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
