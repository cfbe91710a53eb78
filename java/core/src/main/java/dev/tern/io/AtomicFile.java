package dev.tern.io;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A file that appears under its name whole or not at all: it is written under a temporary name in the same folder, and
 * {@link #commit} forces it to the disk, renames it and forces the folder. Without a commit, {@link #close} removes it;
 * so does an orderly end of the JVM (Ctrl-C). Not thread-safe but where it says so.
 *
 * <p>Every failure of the file system becomes an {@link InputException} that names the target; a full disk also says how
 * much was needed, as far as {@link #expect} knows, and how much there is.
 */
public final class AtomicFile implements AutoCloseable {
    private static final int WRITE_CHUNK = 1 << 23;

    /** What follows the target's name. */
    private static final Pattern TEMPORARY = Pattern.compile("[0-9a-f]{1,16}\\.tmp");

    /** Opens the temporary file; a test opens one that fails. */
    @FunctionalInterface
    interface Opener {
        FileChannel open(Path temporary) throws IOException;
    }

    private final Path target;
    private final Path destination;
    private final Path temporary;
    private final boolean overwrite;
    private final FileChannel channel;
    private final Thread removal;
    private long expected;
    private boolean done;

    private AtomicFile(Path target, Path destination, Path temporary, boolean overwrite, FileChannel channel) {
        this.target = target;
        this.destination = destination;
        this.temporary = temporary;
        this.overwrite = overwrite;
        this.channel = channel;
        this.removal = new Thread(this::removeQuietly, "remove " + temporary.getFileName());
        Runtime.getRuntime().addShutdownHook(removal);
    }

    /**
     * Opens a temporary file beside the target. With {@code overwrite} an existing regular file is replaced at commit,
     * and a symbolic link to one keeps pointing to it.
     *
     * @throws InputException when the target exists and {@code overwrite} is false, is no regular file, or its folder is
     *     missing or cannot be written
     */
    public static AtomicFile create(Path target, boolean overwrite) {
        return create(target, overwrite, temporary -> FileChannel.open(
                temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    static AtomicFile create(Path target, boolean overwrite, Opener opener) {
        Path destination = destination(target, overwrite);
        Path folder = destination.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw InputException.at(target)
                    .problem("the folder " + folder + " does not exist")
                    .cure("Create it first.")
                    .exception();
        }
        for (int attempt = 0; ; attempt++) {
            String suffix = Long.toHexString(ThreadLocalRandom.current().nextLong());
            Path temporary = folder.resolve("." + destination.getFileName() + "." + suffix + ".tmp");
            try {
                return new AtomicFile(target, destination, temporary, overwrite, opener.open(temporary));
            } catch (FileAlreadyExistsException e) {
                if (attempt == 100) {
                    throw failure(target, folder, 0, e);
                }
            } catch (IOException e) {
                throw failure(target, folder, 0, e);
            }
        }
    }

    /** The regular file to be written: the target, or what it links to. */
    private static Path destination(Path target, boolean overwrite) {
        if (target.getFileName() == null) {
            throw InputException.at(target).expected("a file name").found("a root folder").exception();
        }
        if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            return target;
        }
        if (Files.isDirectory(target)) {
            throw InputException.at(target)
                    .expected("a file to write")
                    .found("a folder")
                    .cure("Name a file in it.")
                    .exception();
        }
        if (!Files.exists(target)) {
            throw InputException.at(target)
                    .problem("is a symbolic link to a file that does not exist")
                    .cure("Remove the link or name another file.")
                    .exception();
        }
        if (!Files.isRegularFile(target)) {
            throw InputException.at(target).expected("a regular file").found("a device or pipe").exception();
        }
        if (!overwrite) {
            throw exists(target);
        }
        try {
            return target.toRealPath();
        } catch (IOException e) {
            throw InputException.at(target).problem("cannot be resolved: " + InputException.reason(e)).exception(e);
        }
    }

    private static InputException exists(Path target) {
        return InputException.at(target)
                .problem("exists already")
                .cure("Add --overwrite to replace it, or name another file.")
                .exception();
    }

    /**
     * Announces the final size, so that a disk that is too small is found before anything is written.
     *
     * @throws InputException when the file system has less room than that
     */
    public void expect(long bytes) {
        expected = bytes;
        long available = available(temporary.getParent());
        if (available > 0 && available < bytes) { // 0: some file systems do not know
            throw InputException.at(target)
                    .problem("the disk is too full")
                    .expected(bytes + " bytes of room")
                    .found(available + " bytes available")
                    .cure("Free some space or name a file on another disk.")
                    .exception();
        }
    }

    /**
     * Temporary files beside this one that are meant for the same target: of runs that were killed, or are at work just
     * now. They are left alone, since the two cannot be told apart.
     */
    public List<Path> others() {
        String start = "." + destination.getFileName() + ".";
        try (Stream<Path> files = Files.list(temporary.toAbsolutePath().getParent())) {
            return files.filter(file -> {
                        String name = file.getFileName().toString();
                        return name.startsWith(start)
                                && TEMPORARY.matcher(name.substring(start.length())).matches()
                                && !file.getFileName().equals(temporary.getFileName());
                    })
                    .sorted()
                    .toList();
        } catch (IOException e) {
            return List.of(); // a folder may be written to and not listed
        }
    }

    /** The name under which the file will appear. */
    public Path target() {
        return target;
    }

    /** The temporary file, for reading back what has been written before it is committed. */
    public Path temporary() {
        return temporary;
    }

    /** The open temporary file; pass its failures through {@link #failure(IOException)}. */
    public FileChannel channel() {
        return channel;
    }

    /** Appends the whole segment, native or of a {@code byte[]}, at the channel's position. */
    public void write(MemorySegment bytes) {
        try {
            for (long from = 0; from < bytes.byteSize(); from += WRITE_CHUNK) {
                ByteBuffer chunk = bytes.asSlice(from, Math.min(WRITE_CHUNK, bytes.byteSize() - from)).asByteBuffer();
                while (chunk.hasRemaining()) {
                    channel.write(chunk);
                }
            }
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** Writes the whole segment, native or of a {@code byte[]}, from {@code position} on. Thread-safe. */
    public void write(MemorySegment bytes, long position) {
        try {
            for (long from = 0; from < bytes.byteSize(); from += WRITE_CHUNK) {
                ByteBuffer chunk = bytes.asSlice(from, Math.min(WRITE_CHUNK, bytes.byteSize() - from)).asByteBuffer();
                for (long at = position + from; chunk.hasRemaining(); ) {
                    at += channel.write(chunk, at);
                }
            }
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** Reads back what was written from {@code position} on, until {@code bytes} is full. Thread-safe. */
    public void read(MemorySegment bytes, long position) {
        try {
            ByteBuffer rest = bytes.asByteBuffer();
            for (long at = position; rest.hasRemaining(); ) {
                int count = channel.read(rest, at);
                if (count < 0) {
                    throw new EOFException("it ends at byte " + at);
                }
                at += count;
            }
        } catch (IOException e) {
            throw InputException.at(target).problem("what was written cannot be read back", e).exception(e);
        }
    }

    /**
     * Forces the file to the disk and gives it its name.
     *
     * @throws InputException when that fails, or when without {@code overwrite} the target has appeared meanwhile; the
     *     target is then as it was
     */
    public void commit() {
        if (done) {
            throw new IllegalStateException("committed or closed already");
        }
        try {
            channel.force(true);
            channel.close();
            if (!overwrite && Files.exists(destination, LinkOption.NOFOLLOW_LINKS)) {
                throw exists(target);
            }
            Files.move(temporary, destination, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw failure(e);
        }
        finish();
        forceFolder();
    }

    /** Makes the new name durable where folders can be opened and forced (they cannot on Windows). */
    private void forceFolder() {
        try (FileChannel folder = FileChannel.open(temporary.getParent(), StandardOpenOption.READ)) {
            folder.force(true);
        } catch (IOException e) {
            // The file itself is on the disk under its name; only the durability of the name is the system's default.
        }
    }

    /** The error for a failure of {@link #channel()}. */
    public InputException failure(IOException e) {
        return failure(target, temporary.getParent(), expected, e);
    }

    private static InputException failure(Path target, Path folder, long expected, IOException e) {
        String reason = InputException.reason(e);
        InputException.Builder error = InputException.at(target).problem("cannot be written: " + reason);
        if (reason.contains("No space left") || reason.contains("quota") || reason.contains("not enough space")) {
            if (expected > 0) {
                error.expected(expected + " bytes of room");
            }
            error.found(available(folder) + " bytes available")
                    .cure("Free some space or name a file on another disk.");
        }
        return error.exception(e);
    }

    private static long available(Path folder) {
        try {
            return Files.getFileStore(folder).getUsableSpace();
        } catch (IOException e) {
            return 0;
        }
    }

    /** Removes the temporary file unless it was committed. */
    @Override
    public void close() {
        if (done) {
            return;
        }
        removeQuietly();
        finish();
    }

    private void finish() {
        done = true;
        try {
            Runtime.getRuntime().removeShutdownHook(removal);
        } catch (IllegalStateException e) {
            // The JVM is ending and runs the hook, which finds nothing.
        }
    }

    private void removeQuietly() {
        try {
            channel.close();
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            // Nothing more can be done about a temporary file whose folder is gone or read-only by now.
        }
    }
}
