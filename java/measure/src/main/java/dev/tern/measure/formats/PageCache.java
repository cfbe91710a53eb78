package dev.tern.measure.formats;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The system's cache of files. */
final class PageCache {
    private static final int PIECE = 1 << 22;

    private PageCache() {}

    /** Reads a file through, so that it lies in the cache as far as there is memory. */
    static void warm(Path file, Runnable check) {
        ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            while (channel.read(piece.clear()) >= 0) {
                check.run();
            }
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read", e).exception(e);
        }
    }
}
