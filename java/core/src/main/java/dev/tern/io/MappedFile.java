package dev.tern.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file mapped read-only as one segment of any size, and readable by position. What is read through the segment counts
 * as the process's memory, and a file that is cut off or vanishes under it is a fault; {@link #read} copies, and such a
 * file is an {@link InputException}. Thread-safe. After {@link #close} every access throws
 * {@link IllegalStateException}.
 */
public final class MappedFile implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final Arena arena;
    private final MemorySegment segment;

    private MappedFile(Path path, FileChannel channel, Arena arena, MemorySegment segment) {
        this.path = path;
        this.channel = channel;
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
        try {
            return map(path, FileChannel.open(path, StandardOpenOption.READ));
        } catch (IOException e) {
            throw InputException.at(path).problem("cannot be read", e).exception(e);
        }
    }

    private static MappedFile map(Path path, FileChannel channel) throws IOException {
        Arena arena = Arena.ofShared();
        try {
            MemorySegment segment = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new MappedFile(path, channel, arena, segment);
        } catch (IOException | RuntimeException | Error e) {
            arena.close();
            channel.close();
            throw e;
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

    /**
     * Copies bytes of the file from {@code offset} on.
     *
     * @param out all of it is filled: a {@code byte[]}'s segment or native memory
     * @throws InputException when the file has become unreadable or shorter since it was opened
     */
    public void read(long offset, MemorySegment out) {
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException(path + " is closed");
        }
        try {
            ByteBuffer rest = out.asByteBuffer();
            for (long at = offset; rest.hasRemaining(); ) {
                int count = channel.read(rest, at);
                if (count < 0) {
                    throw shorter();
                }
                at += count;
            }
        } catch (ClosedByInterruptException e) {
            throw new IllegalStateException("interrupted while " + path + " was read", e);
        } catch (IOException e) {
            throw InputException.at(path).problem("cannot be read", e).exception(e);
        }
    }

    private InputException shorter() throws IOException {
        return InputException.at(path)
                .problem("the file has become shorter while it was read")
                .expected(size() + " bytes")
                .found(channel.size())
                .cure("Another program changes it: wait until that is done, and begin anew.")
                .exception();
    }

    @Override
    public void close() {
        arena.close();
        try {
            channel.close();
        } catch (IOException e) {
            throw InputException.at(path).problem("cannot be closed", e).exception(e);
        }
    }
}
