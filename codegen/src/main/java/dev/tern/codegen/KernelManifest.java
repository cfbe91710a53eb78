package dev.tern.codegen;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Properties;

/** What lies beside a library that was built: of which plan and sources, and what it was when it was built. */
final class KernelManifest {
    private static final String NAME = "manifest.properties";

    private final Path file;
    private final Properties properties;

    private KernelManifest(Path file, Properties properties) {
        this.file = file;
        this.properties = properties;
    }

    /** Whether a folder has one. */
    static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(NAME), LinkOption.NOFOLLOW_LINKS);
    }

    /** @throws KernelBuildException when it cannot be read */
    static KernelManifest read(Path folder) {
        Path file = folder.resolve(NAME);
        Properties properties = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            properties.load(in);
        } catch (IOException | IllegalArgumentException e) {
            throw damaged(file + " cannot be read: " + e.getMessage());
        }
        return new KernelManifest(file, properties);
    }

    static void write(Path folder, String plan, String sources, Path library) throws IOException {
        Properties properties = new Properties();
        properties.setProperty("plan", plan);
        properties.setProperty("sources", sources);
        properties.setProperty("library", library.getFileName().toString());
        properties.setProperty("library.sha256", Hash.sha256(library));
        try (OutputStream out = Files.newOutputStream(folder.resolve(NAME))) {
            properties.store(out, "A library of look-up-table kernels. Changed files are not loaded.");
        }
    }

    /** @throws KernelBuildException when it says something else */
    void require(String key, String expected) {
        String found = properties.getProperty(key, "nothing");
        if (!found.equals(expected)) {
            throw damaged(file + ": " + key + " is " + found + ", expected " + expected);
        }
    }

    /** SHA-256 of the library when it was built. */
    String sha256() {
        return properties.getProperty("library.sha256", "");
    }

    /**
     * The library, which is what was built.
     *
     * @throws KernelBuildException when it is missing, or was changed or cut short
     */
    Path library() {
        Path library = inFolder(properties.getProperty("library", ""));
        requireHash(library, sha256());
        return library;
    }

    private Path inFolder(String name) {
        try {
            Path library = file.resolveSibling(name);
            if (!name.isEmpty() && file.getParent().normalize().equals(library.normalize().getParent())) {
                return library;
            }
        } catch (InvalidPathException e) {
            // no name of a file, so none of the folder's
        }
        throw damaged(file + ": names no library of its folder, but '" + name.replaceAll("\\p{Cntrl}", "?") + "'");
    }

    /** @throws KernelBuildException when the file is not the one of that hash */
    static void requireHash(Path file, String expected) {
        try {
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                throw damaged(file + " is missing");
            }
            String found = Hash.sha256(file);
            if (!found.equals(expected)) {
                throw damaged(file + ": changed since it was built: its SHA-256 is " + found + ", expected " + expected);
            }
        } catch (IOException e) {
            throw damaged(file + " cannot be read: " + e.getMessage());
        }
    }

    static KernelBuildException damaged(String what) {
        return new KernelBuildException(what + "; remove the folder, or build the kernels again with tern kernels --build");
    }
}
