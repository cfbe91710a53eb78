package dev.tern.codegen;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Tern's own C, packed into this module: the logic that headers are put together from, and what a library is built of. */
final class CSource {
    private static final String FOLDER = "c/";

    private CSource() {}

    /** A piece of logic in {@code c-kernels/src/lut}. */
    static String read(String piece) {
        return readPath("src/lut/" + piece);
    }

    /** A file under {@code c-kernels}. */
    static String readPath(String path) {
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
