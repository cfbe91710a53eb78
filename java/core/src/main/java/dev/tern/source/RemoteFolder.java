package dev.tern.source;

import dev.tern.io.InputException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** A folder on a server that holds a model, for one fetch. {@link #refusal} may be called by many threads at once. */
interface RemoteFolder {

    /**
     * Asks the server what is there.
     *
     * @throws HttpStatusException when it refuses
     * @throws InputException when it cannot be reached, or answers what makes no sense
     */
    Listing list() throws IOException, InterruptedException;

    /**
     * The error for an answer that refuses the folder, or a file in it where a file is named: an
     * {@link InputException}, or a {@link SourceChangedException} when another look at the folder may help.
     */
    RuntimeException refusal(String file, HttpStatusException answer);

    /** What is there. Not thread-safe. */
    interface Listing {
        /** What identifies the state of the whole folder; a plain word that can be a file's name. */
        String revision();

        /** The revision for people: {@code commit 04a3…}. */
        String revisionInWords();

        /** The names of the files directly in the folder, as far as the server tells. */
        List<String> names();

        /** A file by its name; may ask the server. */
        Optional<RemoteFile> find(String name) throws IOException, InterruptedException;
    }
}
