package dev.tern.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file mapped read-only as one segment of any size. Thread-safe. After {@link #close} every access through the segment
 * throws {@link IllegalStateException}.
 */
public final class MappedFile implements AutoCloseable {
    private final Path path;
    private final Arena arena;
    private final MemorySegment segment;

    private MappedFile(Path path, Arena arena, MemorySegment segment) {
        this.path = path;
        this.arena = arena;
        this.segment = segment;
    }

    /**
     * Maps a regular file.
     *
     * @throws InputException when it does not exist, is not a regular file or cannot be read
     */
    public static MappedFile open(Path path) {
        if (!Files.exists(path)) {
            throw InputException.at(path).problem("no such file").cure("Check the path.").exception();
        }
        if (!Files.isRegularFile(path)) {
            throw InputException.at(path).expected("a regular file").found("a folder or device").exception();
        }
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return new MappedFile(path, arena, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        } catch (IOException e) {
            arena.close();
            throw InputException.at(path).problem("cannot be read", e).exception(e);
        }
    }

    /** The file as it was opened. */
    public Path path() {
        return path;
    }

    /** The whole file. */
    public MemorySegment segment() {
        return segment;
    }

    /** Bytes of the file when it was opened. */
    public long size() {
        return segment.byteSize();
    }

    @Override
    public void close() {
        arena.close();
    }
}
