package dev.tern.io;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/**
 * The input is at fault: a file, a checkpoint, a prompt. The message is written for the person who supplied it and says
 * where, what was expected, what was found and what to do.
 */
public class InputException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private InputException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** A kind of its own of what another one says. */
    protected InputException(InputException said) {
        super(said.getMessage(), said.getCause());
    }

    /** An error at {@code where}: a file, or a file with the tensor, key or offset in it. */
    public static Builder at(Object where) {
        return new Builder(String.valueOf(where));
    }

    /** Why the file system refused, in words; Java's own messages are often the file's name alone, or nothing. */
    static String reason(IOException e) {
        return switch (e) {
            case AccessDeniedException denied -> "permission denied";
            case NoSuchFileException missing -> "no such file or folder";
            case FileAlreadyExistsException exists -> "exists already";
            case FileSystemException file when file.getReason() != null -> file.getReason();
            case ClosedChannelException closed -> "closed while it was in use";
            default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    }

    /** Builds the message in the one order that all errors have: where: problem; expected …, found …. Cure. */
    public static final class Builder {
        private final StringBuilder where;
        private String problem = "";
        private @Nullable String expected;
        private @Nullable String found;
        private @Nullable String cure;
        private String excerpt = "";

        private Builder(String where) {
            this.where = new StringBuilder(where);
        }

        /** Names the tensor, after the file. */
        public Builder tensor(String name) {
            where.append(": tensor '").append(name).append('\'');
            return this;
        }

        /** Names the metadata key, after the file. */
        public Builder key(String name) {
            where.append(": key '").append(name).append('\'');
            return this;
        }

        /** Names the byte offset, after the file. */
        public Builder offset(long offset) {
            where.append(": offset ").append(offset);
            return this;
        }

        /** What is wrong, in a clause. */
        public Builder problem(String text) {
            problem = text;
            return this;
        }

        /** What the file system refused, and its reason without the name, which stands in front already. */
        public Builder problem(String what, IOException e) {
            return problem(what + ": " + reason(e));
        }

        /** What should have been there. */
        public Builder expected(Object text) {
            expected = String.valueOf(text);
            return this;
        }

        /** What was there. */
        public Builder found(Object text) {
            found = String.valueOf(text);
            return this;
        }

        /** What the person can do about it, as a sentence. */
        public Builder cure(String sentence) {
            cure = sentence;
            return this;
        }

        /** The line that is at fault, below everything else, with a mark under its character of this index. */
        public Builder excerpt(String line, int at) {
            excerpt = "\n  " + line + "\n  " + " ".repeat(at) + "^";
            return this;
        }

        /** The exception, ready to be thrown. */
        public InputException exception() {
            return exception(null);
        }

        /** The exception with its cause. */
        public InputException exception(@Nullable Throwable cause) {
            StringBuilder text = new StringBuilder(where).append(": ");
            String separator = "";
            if (!problem.isEmpty()) {
                text.append(problem);
                separator = "; ";
            }
            if (expected != null) {
                text.append(separator).append("expected ").append(expected);
                separator = ", ";
            }
            if (found != null) {
                text.append(separator).append("found ").append(found);
            }
            if (cure != null) {
                text.append(". ").append(cure);
            }
            return new InputException(printable(text.append(excerpt)), cause);
        }

        /** Names come from files; control characters in them must not reach a terminal. */
        private static String printable(CharSequence text) {
            StringBuilder out = new StringBuilder(text.length());
            text.chars().forEach(c -> {
                if (Character.isISOControl(c) && c != '\n') {
                    out.append(String.format("\\u%04x", c));
                } else {
                    out.append((char) c);
                }
            });
            return out.toString();
        }
    }
}
