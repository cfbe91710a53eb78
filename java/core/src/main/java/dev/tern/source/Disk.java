package dev.tern.source;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** What the file system refuses, as sentences. */
final class Disk {
    private Disk() {}

    /** The error for a file or folder that cannot be used. */
    static InputException failure(Path path, String what, IOException e) {
        InputException.Builder error = InputException.at(path).problem(what, e);
        String text = String.valueOf(e.getMessage());
        if (text.contains("No space left") || text.contains("quota") || text.contains("not enough space")) {
            error.found(room(path) + " bytes of room")
                    .cure("Free some space, or point TERN_CACHE to another disk; what was fetched is kept.");
        } else {
            error.cure("Check that the disk is there and can be written, or point TERN_CACHE to another folder.");
        }
        return error.exception(e);
    }

    /** Makes a folder and those above it that are missing, each open to its owner alone: models may be private. */
    static void createFolders(Path folder) {
        try {
            if (FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
                Files.createDirectories(
                        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            } else {
                Files.createDirectories(folder);
            }
        } catch (IOException e) {
            throw failure(folder, "cannot be made", e);
        }
    }

    /** Refuses what does not fit. */
    static void requireRoom(Path folder, long bytes) {
        long room = room(folder);
        if (room > 0 && room < bytes) { // 0: some file systems do not know
            throw InputException.at(folder)
                    .problem("the disk is too full for what has to be fetched")
                    .expected(bytes + " bytes of room")
                    .found(room)
                    .cure("Free some space, or point TERN_CACHE to a folder on another disk.")
                    .exception();
        }
    }

    private static long room(Path path) {
        for (Path there = path.toAbsolutePath(); there != null; there = there.getParent()) {
            try {
                return Files.getFileStore(there).getUsableSpace();
            } catch (IOException e) {
                // not there (any more): its parent
            }
        }
        return 0;
    }
}
