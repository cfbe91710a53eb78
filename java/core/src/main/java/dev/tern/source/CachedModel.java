package dev.tern.source;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A model in the cache.
 *
 * @param source where it came from; what {@link ModelSource#parse} takes
 * @param revision of it, for people
 * @param folder it lies in
 * @param bytes of its files; a file that several revisions share counts in each
 * @param whole whether its weights are all there
 * @param configurationOnly whether what is there is its configuration and tokenizer, fetched without weights
 */
public record CachedModel(
        String source, String revision, Path folder, long bytes, boolean whole, boolean configurationOnly) {
    private static final String NAMED = "weights ";
    private static final int DEEPEST = 64;

    /** The folder that holds all models of the cache, whether there are any or not. */
    public static Path folder(FetchOptions options) {
        return new ModelCache(options).root();
    }

    /** All models in the cache, by their folders. */
    public static List<CachedModel> list(FetchOptions options) {
        Path root = new ModelCache(options).root();
        List<CachedModel> models = new ArrayList<>();
        if (!Files.isDirectory(root)) {
            return models;
        }
        try (Stream<Path> folders = Files.find(root, DEEPEST, (path, attributes) -> attributes.isDirectory())) {
            folders.filter(SnapshotFolder::holdsOne).sorted()
                    .forEach(folder -> of(new SnapshotFolder(folder)).ifPresent(models::add));
        } catch (IOException e) {
            throw Disk.failure(root, "cannot be listed", e);
        }
        return models;
    }

    private static Optional<CachedModel> of(SnapshotFolder folder) {
        return folder.record().map(record -> {
            long bytes = 0;
            boolean weights = record.complete().stream().anyMatch(what -> what.startsWith("weights"));
            boolean all = true;
            for (String name : record.files().keySet()) {
                boolean there = folder.holds(name, record.files().get(name));
                all &= there;
                bytes += there ? size(folder.path().resolve(name)) : 0;
            }
            boolean configuration = record.complete().contains("config");
            return new CachedModel(
                    source(record),
                    record.inWords(),
                    folder.path(),
                    bytes,
                    all && weights,
                    all && configuration && !weights);
        });
    }

    /** The address of the folder, or of the weights file in it when only one of a name of its own was fetched. */
    private static String source(SnapshotRecord record) {
        Optional<String> named = record.complete().stream()
                .filter(what -> what.startsWith(NAMED) && !record.complete().contains("weights"))
                .map(what -> what.substring(NAMED.length()))
                .findFirst();
        boolean web = record.source().startsWith("http"); // where names are percent-encoded
        return named.map(name -> record.source() + "/" + (web ? Addresses.encoded(name) : name))
                .orElse(record.source());
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return 0;
        }
    }
}
