package dev.tern.source;

import dev.tern.io.InputException;
import java.util.List;
import java.util.Optional;

/** A source on a server. */
sealed interface RemoteSource extends ModelSource permits HuggingFaceSource, CloudStorageSource, WebSource {

    /** The source as a person names it, without secrets: its folder, not a file in it. */
    String label();

    /** The weights file that it names, or empty. */
    String file();

    /** The folder of the cache for all its revisions, relative to that for models, name by name. */
    List<String> cachePath(FetchOptions options);

    /**
     * Below a revision's folder of that name in the cache, for a model that is not at the top of what has the
     * revision.
     */
    default List<String> subfolder() {
        return List.of();
    }

    /** What names the revision that is wanted, such as a branch; where there are none, what is there now. */
    default String reference() {
        return "current";
    }

    /** The revision, when its contents are known never to change and nobody need be asked. */
    default Optional<String> pinned() {
        return Optional.empty();
    }

    /** Whatever it takes to ask the server; nothing is asked yet. */
    RemoteFolder connect(Http http, FetchOptions options);

    @Override
    default FetchedModel fetch(FetchOptions options) {
        try {
            return new Fetch(this, options).run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw InputException.at(label())
                    .problem("interrupted while it was fetched; what is there of it is kept")
                    .exception(e);
        }
    }
}
