package dev.tern.cli;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder that a setup works in, for one at a time: so what a killed one left half written can be told from what another
 * is writing, and goes.
 */
final class SetupFolder implements AutoCloseable {
    private static final String LOCK = ".setup.lock";

    private final Path lockFile;
    private final @Nullable FileChannel channel;

    private SetupFolder(Path lockFile, @Nullable FileChannel channel) {
        this.lockFile = lockFile;
        this.channel = channel;
    }

    /**
     * Makes the folder if need be, and takes it.
     *
     * @param file the one that is written in it under temporary names
     * @throws InputException when it cannot be made, or another setup is at work in it
     */
    static SetupFolder take(Path folder, Path file) {
        try {
            Files.createDirectories(folder);
        } catch (FileAlreadyExistsException e) {
            throw InputException.at(folder)
                    .expected("a folder")
                    .found("a file")
                    .cure("Name another one with -o.")
                    .exception(e);
        } catch (IOException e) {
            throw InputException.at(folder)
                    .problem("cannot be made", e)
                    .cure("Name another folder with -o.")
                    .exception(e);
        }
        Path lockFile = folder.resolve(LOCK);
        FileChannel channel = lock(folder, lockFile);
        if (channel != null) {
            removeHalves(folder, file);
        }
        return new SetupFolder(lockFile, channel);
    }

    /** Null where the file system knows no locks, or the folder is read-only: then the first file to be written says so. */
    private static @Nullable FileChannel lock(Path folder, Path lockFile) {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // another one of this process
        } catch (IOException e) {
            closeQuietly(channel);
            return null;
        }
        closeQuietly(channel);
        throw InputException.at(folder)
                .problem("another setup is at work in it")
                .cure("Wait for its end, or name another folder with -o.")
                .exception();
    }

    /** What AtomicFile had begun when the process was killed. */
    private static void removeHalves(Path folder, Path file) {
        Pattern half = Pattern.compile("\\." + Pattern.quote(String.valueOf(file.getFileName())) + "\\.[0-9a-f]{1,16}\\.tmp");
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> halves = files.filter(
                            left -> half.matcher(left.getFileName().toString()).matches())
                    .toList();
            for (Path left : halves) {
                Files.deleteIfExists(left);
            }
        } catch (IOException e) {
            // They take room and do no harm.
        }
    }

    private static void closeQuietly(@Nullable FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            // Nothing was written.
        }
    }

    @Override
    public void close() {
        if (channel == null) {
            return;
        }
        try {
            Files.deleteIfExists(lockFile);
        } catch (IOException e) {
            // An empty file that the next setup locks again.
        }
        closeQuietly(channel);
    }
}
