package dev.tern.cli;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Where the messages and commands of a chat come from. For one thread. */
interface ChatInput extends AutoCloseable {
    /** The next message, of one line or several; null at the end. */
    @Nullable String read() throws IOException;

    /** Whether {@link #rework} works. */
    boolean canRework();

    /** A text as the user has changed it; null when nothing is to be done. */
    @Nullable String rework(String text) throws IOException;

    /** An answer begins: until {@link #answered}, what is typed is not shown in it. */
    void answering();

    /** The answer has ended. */
    void answered();

    @Override
    void close() throws IOException;
}
