package dev.tern.source;

import dev.tern.io.InputException;
import dev.tern.io.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The models that were fetched: {@code $TERN_CACHE/models} (or {@code $XDG_CACHE_HOME/tern/models}, {@code
 * ~/.cache/tern/models}), in it a folder for each source, {@code huggingface.co/ORG/NAME}, in that one for each
 * revision, {@code COMMIT/NAME}, and {@code .refs/BRANCH} with the revision that a branch had when it was last seen.
 * Nothing but time is lost by removing any of it.
 */
final class ModelCache {
    private static final int LONGEST_NAME = 200;

    private final FetchOptions options;
    private final Path root;

    ModelCache(FetchOptions options) {
        this.options = options;
        root = root(options);
    }

    private static Path root(FetchOptions options) {
        try {
            Optional<Path> own = options.variable("TERN_CACHE").map(Path::of);
            if (own.isPresent()) {
                return own.get().toAbsolutePath().resolve("models");
            }
            Path home = options.variable("HOME").map(Path::of)
                    .orElseGet(() -> Path.of(System.getProperty("user.home")));
            Path caches = options.variable("XDG_CACHE_HOME")
                    .map(Path::of)
                    .filter(Path::isAbsolute)
                    .orElseGet(() -> home.resolve(".cache"));
            if (!caches.isAbsolute()) {
                throw InputException.at("cache")
                        .problem("there is no home folder to keep models in")
                        .cure("Set TERN_CACHE to a folder you can write to.")
                        .exception();
            }
            return caches.resolve("tern").resolve("models");
        } catch (InvalidPathException e) {
            throw InputException.at("TERN_CACHE, XDG_CACHE_HOME or HOME").problem("is no path: " + e.getReason())
                    .exception(e);
        }
    }

    Path root() {
        return root;
    }

    /** The folder for all revisions of a source. */
    Path family(RemoteSource source) {
        Path folder = root;
        for (String name : source.cachePath(options)) {
            folder = folder.resolve(fileName(name));
        }
        return folder;
    }

    /**
     * The folder for one revision of a source; it is called like the model, whose name goes into what is made of it.
     */
    Path snapshot(RemoteSource source, String revision) {
        return snapshot(source, family(source).resolve(fileName(revision)));
    }

    private static Path snapshot(RemoteSource source, Path revision) {
        Path folder = revision.resolve(fileName(source.name()));
        for (String name : source.subfolder()) {
            folder = folder.resolve(fileName(name));
        }
        return folder;
    }

    /** The revision that a source's branch had when it was last seen. */
    Optional<String> seen(RemoteSource source) {
        try {
            Path file = reference(source);
            return Files.exists(file)
                    ? Optional.of(Files.readString(file).strip()).filter(revision -> !revision.isEmpty())
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Remembers a branch's revision, for times without network. */
    void see(RemoteSource source, String revision) {
        Path file = reference(source);
        try {
            Disk.createFolders(file.getParent());
            Path next = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + ".next");
            Files.writeString(next, revision + "\n");
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw Disk.failure(file, "cannot be written", e);
        }
    }

    private Path reference(RemoteSource source) {
        return family(source).resolve(".refs").resolve(fileName(source.reference()));
    }

    /**
     * A name that is safe in any file system and that no name of the cache's own can be: never hidden, never a path.
     */
    static String fileName(String name) {
        if (name.isEmpty()) {
            return "%";
        }
        StringBuilder safe = new StringBuilder();
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c < 128
                    && (Character.isLetterOrDigit(c) || "-_+=@".indexOf(c) >= 0 || c == '.' && !safe.isEmpty());
            safe.append(plain ? String.valueOf(c) : String.format("%%%02X", (int) c));
        }
        return safe.length() <= LONGEST_NAME ? safe.toString() : safe.substring(0, 100) + "~" + hash(name);
    }

    /** Sixteen digits of the SHA-256 of some text. */
    static String hash(String text) {
        byte[] digest = Sha256.digest().digest(text.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(digest, 0, 8);
    }

    /** The folders of other revisions of a source that hold anything. */
    List<SnapshotFolder> others(RemoteSource source, Path snapshot) {
        Path family = family(source);
        List<SnapshotFolder> others = new ArrayList<>();
        if (!Files.isDirectory(family)) {
            return others;
        }
        try (Stream<Path> revisions = Files.list(family)) {
            for (Path revision : revisions.sorted().toList()) {
                Path folder = snapshot(source, revision);
                if (!folder.equals(snapshot) && SnapshotFolder.holdsOne(folder)) {
                    others.add(new SnapshotFolder(folder));
                }
            }
        } catch (IOException e) {
            return others; // nothing is lost but the chance to save a download
        }
        return others;
    }
}
