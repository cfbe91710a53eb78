package dev.tern.io;

import org.jspecify.annotations.Nullable;

/**
 * The input is at fault: a file, a checkpoint, a prompt. The message is written for the person who supplied it and says
 * where, what was expected, what was found and what to do.
 */
public final class InputException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private InputException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** An error at {@code where}: a file, or a file with the tensor, key or offset in it. */
    public static Builder at(Object where) {
        return new Builder(String.valueOf(where));
    }

    /** Builds the message in the one order that all errors have: where: problem; expected …, found …. Cure. */
    public static final class Builder {
        private final StringBuilder where;
        private String problem = "";
        private @Nullable String expected;
        private @Nullable String found;
        private @Nullable String cure;

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
            return new InputException(printable(text), cause);
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
