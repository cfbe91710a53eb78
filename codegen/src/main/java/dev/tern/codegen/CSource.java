package dev.tern.codegen;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Tern's own C, packed into this module: the logic that headers are put together from, and what a library is built of. */
final class CSource {
    private static final String FOLDER = "c/";

    /** What a library is built of, under {@code c-kernels}. */
    private static final List<String> LIBRARY = List.of(
            "include/tern_kernels.h",
            "src/x86_features.h",
            "src/x86_features.c",
            "src/lut/CMakeLists.txt",
            "src/lut/check_header.cmake",
            "src/lut/library.c",
            "src/lut/paths_of_library.h",
            "src/lut/path_portable.c",
            "src/lut/path_avx2.c",
            "src/lut/path_neon.c");

    private CSource() {}

    /** A piece of logic in {@code c-kernels/src/lut}. */
    static String read(String piece) {
        return readPath("src/lut/" + piece);
    }

    /** SHA-256 over the files of {@link #LIBRARY}. */
    static String libraryHash() {
        StringBuilder all = new StringBuilder();
        LIBRARY.forEach(file -> all.append(file).append('\n').append(readPath(file)));
        return Hash.sha256(all.toString());
    }

    /** Writes what a library is built of, apart from its header. */
    static void write(Path folder) throws IOException {
        for (String file : LIBRARY) {
            Path target = folder.resolve(file);
            Files.createDirectories(target.getParent());
            Files.writeString(target, readPath(file));
        }
    }

    private static String readPath(String path) {
        try (InputStream in = CSource.class.getResourceAsStream(FOLDER + path)) {
            if (in == null) {
                throw new IllegalStateException("this build of Tern lacks its own source " + path);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
