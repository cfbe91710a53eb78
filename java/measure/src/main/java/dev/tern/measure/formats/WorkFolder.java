package dev.tern.measure.formats;

import dev.tern.io.InputException;
import dev.tern.kernels.KernelCache;
import dev.tern.kernels.KernelUnavailableException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where the files of a comparison lie: a folder of the user's, in which they stay, or one of Tern's cache, which goes at
 * the end. It is locked as long as somebody works in it; what a killed run left behind is removed by the next.
 */
final class WorkFolder implements AutoCloseable {
    private static final String CACHE = "compare";
    private static final String LOCK = ".lock";

    private final Path folder;
    private final boolean kept;
    private final @Nullable FileChannel lock;
    private boolean done;

    private WorkFolder(Path folder, boolean kept, @Nullable FileChannel lock) {
        this.folder = folder;
        this.kept = kept;
        this.lock = lock;
    }

    /**
     * A folder that stays.
     *
     * @param folder a new or an empty one
     */
    static WorkFolder keep(Path folder) {
        try {
            Files.createDirectories(folder);
            if (!list(folder).isEmpty()) {
                throw InputException.at(folder)
                        .expected("an empty or a new folder")
                        .found("files in it")
                        .cure("Name another one with --keep.")
                        .exception();
            }
            return new WorkFolder(folder, true, null);
        } catch (FileAlreadyExistsException e) {
            throw InputException.at(folder).expected("a folder").found("a file").exception(e);
        } catch (IOException e) {
            throw InputException.at(folder)
                    .problem("cannot be made", e)
                    .cure("Name another one with --keep.")
                    .exception(e);
        }
    }

    /** A folder of the cache. */
    static WorkFolder temporary() {
        Path all;
        try {
            all = KernelCache.folder(CACHE);
        } catch (KernelUnavailableException e) {
            throw InputException.at("temporary files")
                    .problem(String.valueOf(e.getMessage()))
                    .cure("Or name a folder with --keep.")
                    .exception(e);
        }
        try (FileChannel entry = open(all.resolve(LOCK))) {
            entry.lock(); // one run at a time looks for what others left, and makes its own
            for (Path left : list(all)) {
                if (Files.isDirectory(left)) {
                    removeIfLeft(left);
                }
            }
            Path folder = Files.createTempDirectory(all, "");
            FileChannel own = open(folder.resolve(LOCK));
            own.lock();
            return new WorkFolder(folder, false, own);
        } catch (IOException e) {
            throw InputException.at(all)
                    .problem("no temporary folder can be made there", e)
                    .cure("Name a folder with --keep.")
                    .exception(e);
        }
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    private static void removeIfLeft(Path folder) throws IOException {
        try (FileChannel channel = open(folder.resolve(LOCK));
                FileLock own = channel.tryLock()) {
            if (own != null) {
                remove(folder);
            }
        } catch (OverlappingFileLockException e) {
            // Of another comparison of this process.
        }
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    private static void remove(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.walk(folder)) {
            all = new ArrayList<>(files.toList());
        }
        all.sort(Comparator.reverseOrder());
        for (Path file : all) {
            Files.deleteIfExists(file);
        }
    }

    Path path() {
        return folder;
    }

    /** Whether the files stay when the comparison has come to its end. */
    boolean kept() {
        return kept;
    }

    /** The comparison has come to its end. */
    void finish() {
        done = true;
    }

    /** Removes what is not to stay: everything, when the comparison was broken off. */
    @Override
    public void close() {
        try {
            if (!kept) {
                remove(folder);
            } else if (!done) {
                for (Path file : list(folder)) {
                    Files.deleteIfExists(file);
                }
            }
            if (lock != null) {
                lock.close();
            }
        } catch (IOException e) {
            throw InputException.at(folder).problem("cannot be removed", e).cure("Remove it yourself.").exception(e);
        }
    }
}
