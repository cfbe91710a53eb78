package dev.tern.cli;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Where what was typed in chats is kept, for their user's eyes only. */
final class ChatHistoryFile {
    private ChatHistoryFile() {}

    /**
     * {@code tern/chat_history} in the folder for the state of programs: {@code XDG_STATE_HOME}, if that is an absolute path,
     * else {@code .local/state} in the home folder (XDG Base Directory Specification 0.8).
     */
    static Path of(@Nullable String stateHome, String home) {
        Path state = stateHome != null && Path.of(stateHome).isAbsolute()
                ? Path.of(stateHome)
                : Path.of(home, ".local", "state");
        return state.resolve("tern").resolve("chat_history");
    }

    /** Makes the file and its folders, if they are not there, and lets nobody else read it. */
    static void prepare(Path file) throws IOException {
        boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            Files.createDirectories(folder, posix ? permissions("rwx------") : new FileAttribute<?>[0]);
        }
        try {
            Files.createFile(file, posix ? permissions("rw-------") : new FileAttribute<?>[0]);
        } catch (FileAlreadyExistsException e) {
            if (posix) {
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
            }
        }
    }

    private static FileAttribute<?>[] permissions(String text) {
        Set<PosixFilePermission> permissions = PosixFilePermissions.fromString(text);
        return new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(permissions)};
    }
}
