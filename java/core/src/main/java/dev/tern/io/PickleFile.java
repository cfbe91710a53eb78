package dev.tern.io;

import java.util.Locale;
import java.util.stream.Stream;

/** Weights that PyTorch saved with Python's pickle, which can run code when it is read, and so is not read. */
public final class PickleFile {
    private PickleFile() {}

    /** Whether a file is one, by the end of its name or path. */
    public static boolean isNamed(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return Stream.of(".bin", ".pt", ".pth", ".ckpt").anyMatch(lower::endsWith);
    }
}
