package dev.tern.cli;

import dev.tern.source.FetchOptions;
import dev.tern.source.FetchedModel;
import dev.tern.source.ModelSource;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** How a checkpoint that lies on a server is fetched. */
final class SourceOptions {
    /** What a checkpoint's address may be, for descriptions of parameters. */
    static final String ADDRESSES = "Folder with config.json and safetensors files, or where to fetch it from:"
            + " hf://ORG/NAME[@REVISION], gs://BUCKET/FOLDER, https://HOST/FOLDER/.";

    @Option(names = "--offline", description = "Fetch nothing: use what an earlier fetch left in the cache.")
    private boolean offline;

    /** The checkpoint on this machine, fetched if need be. */
    Path checkpoint(String address, Terminal terminal, Interruption interruption) {
        return fetch(ModelSource.parse(address), FetchOptions.builder(), terminal, interruption).path();
    }

    /** The same without weights, for who needs only the configuration. */
    Path configuration(String address, Terminal terminal, Interruption interruption) {
        return fetch(ModelSource.parse(address), FetchOptions.builder().weights(false), terminal, interruption).path();
    }

    FetchedModel fetch(
            ModelSource source, FetchOptions.Builder options, Terminal terminal, Interruption interruption) {
        FetchedModel model;
        try (Progress progress = new Progress(terminal, interruption)) {
            model = source.fetch(options.offline(offline)
                    .progress((task, done, total) -> progress.at(task, done, total, "MiB", 1 << 20))
                    .build());
        }
        model.notes().forEach(terminal::note);
        return model;
    }
}
