package dev.tern.source;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * A folder of fetched files. They appear in it whole; what is not whole, and the record, are in {@code .tern} below
 * it.
 */
final class SnapshotFolder {
    private static final String HIDDEN = ".tern";
    private static final String RECORD = "snapshot.json";
    private static final Duration ASK_AGAIN = Duration.ofMillis(200);
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private final Path path;

    SnapshotFolder(Path path) {
        this.path = path;
    }

    static boolean holdsOne(Path folder) {
        return Files.exists(folder.resolve(HIDDEN).resolve(RECORD));
    }

    Path path() {
        return path;
    }

    Path hidden() {
        return path.resolve(HIDDEN);
    }

    /** What the folder is, if it says so. */
    Optional<SnapshotRecord> record() {
        Path file = hidden().resolve(RECORD);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return SnapshotRecord.of(JsonFile.read(file));
        } catch (InputException e) {
            return Optional.empty(); // damaged: as if nothing was there, so that all is fetched again
        }
    }

    void write(SnapshotRecord record) {
        Path file = hidden().resolve(RECORD);
        try {
            Path next = file.resolveSibling(RECORD + ".next");
            Files.write(next, MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(record.json()));
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw Disk.failure(file, "cannot be written", e);
        }
    }

    /** Whether a file is there in the size that the record gives it. */
    boolean holds(String name, SnapshotRecord.@Nullable Entry entry) {
        Path file = path.resolve(name);
        try {
            return entry != null && Files.isRegularFile(file) && (entry.size() < 0 || Files.size(file) == entry.size());
        } catch (IOException e) {
            return false;
        }
    }

    /** Removes a file that is of other contents than wanted. */
    void remove(String name) {
        try {
            Files.deleteIfExists(path.resolve(name));
        } catch (IOException e) {
            throw Disk.failure(path.resolve(name), "cannot be removed", e);
        }
    }

    /** Whether there is nothing in it, or it is not there. */
    boolean isEmpty() {
        if (!Files.exists(path)) {
            return true;
        }
        try (Stream<Path> files = Files.list(path)) {
            return files.findAny().isEmpty();
        } catch (IOException e) {
            throw Disk.failure(path, "cannot be listed", e);
        }
    }

    /**
     * Makes the folder if need be and takes it for this fetch alone; waits while another one, of this process or
     * another, has it.
     *
     * @param waiting is called while it waits
     */
    AutoCloseable take(Runnable waiting) throws InterruptedException {
        Disk.createFolders(hidden());
        Path file = hidden().resolve("lock");
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            while (!locked(channel)) {
                waiting.run();
                Thread.sleep(ASK_AGAIN);
            }
            return channel; // closing it gives the lock back
        } catch (IOException e) {
            close(channel);
            throw Disk.failure(file, "cannot be locked", e);
        } catch (InterruptedException | RuntimeException | Error e) {
            close(channel);
            throw e;
        }
    }

    private static boolean locked(FileChannel channel) {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false; // another fetch of this process
        } catch (IOException e) {
            return true; // a file system without locks: checksums are compared anyway
        }
    }

    private static void close(@Nullable FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            // Nothing was written.
        }
    }
}
