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

    /** Hears how much of a file has been read; what it throws ends the work. */
    @FunctionalInterface
    interface Progress {
        void read(long done, long total);
    }

    /** Reads a file through, so that it lies in the cache as far as there is memory. */
    static void warm(Path file, Progress progress) {
        ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long total = channel.size();
            long done = 0;
            for (int count; (count = channel.read(piece.clear())) >= 0; ) {
                done += count;
                progress.read(Math.min(done, total), total);
            }
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read", e).exception(e);
        }
    }
}
