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
 */
public record CachedModel(String source, String revision, Path folder, long bytes, boolean whole) {
    private static final int DEEPEST = 64;

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
            boolean whole = record.complete().stream().anyMatch(what -> what.startsWith("weights"));
            for (String name : record.files().keySet()) {
                boolean there = folder.holds(name, record.files().get(name));
                whole &= there;
                bytes += there ? size(folder.path().resolve(name)) : 0;
            }
            return new CachedModel(record.source(), record.inWords(), folder.path(), bytes, whole);
        });
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return 0;
        }
    }
}
