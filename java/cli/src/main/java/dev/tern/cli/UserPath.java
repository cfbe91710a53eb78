package dev.tern.cli;

import dev.tern.io.InputException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** File names typed where no shell has seen them. */
final class UserPath {
    private UserPath() {}

    /**
     * The file; {@code ~/} is the user's home folder.
     *
     * @throws InputException when it cannot be a file's name
     */
    static Path of(String typed) {
        try {
            return typed.equals("~") || typed.startsWith("~/")
                    ? Path.of(System.getProperty("user.home"), typed.substring(1))
                    : Path.of(typed);
        } catch (InvalidPathException e) {
            throw InputException.at(typed.replace("\0", "\\0")).problem("no file name: " + e.getReason()).exception(e);
        }
    }
}
