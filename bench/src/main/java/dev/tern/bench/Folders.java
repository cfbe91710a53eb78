package dev.tern.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Folders that benchmarks read and make. */
final class Folders {
    private Folders() {}

    /** Of the repository, in which the classes or the jar of this class lie; {@code -Dtern.root} names another. */
    static Path repository() {
        String named = System.getProperty("tern.root");
        if (named != null) {
            return Path.of(named);
        }
        Path built = Path.of(Folders.class.getProtectionDomain().getCodeSource().getLocation().getPath());
        for (Path folder = built; folder != null; folder = folder.getParent()) {
            if (Files.isDirectory(folder.resolve("testdata/tiny-bitnet"))) {
                return folder;
            }
        }
        throw new IllegalStateException(built + " lies in no repository of Tern: give files, or -Dtern.root=FOLDER");
    }

    /** With all that is in it. */
    static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(path -> {
                try {
                    Files.delete(path);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
