package dev.tern.source;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A model that lies on this machine.
 *
 * @param path its folder, or the one weights file that the source names; what the other packages take as a checkpoint
 * @param folder its folder
 * @param source where it came from, without anything secret
 * @param revision what identifies this state of it: the commit of a hub's repository, a hash of the generations of a
 *     bucket's objects or of a server's validators; empty for a local folder
 * @param fetchedBytes bytes that came over the network for it now, 0 when all was there already
 * @param notes what a person should know: what was fetched, of which revision, what was left out
 */
public record FetchedModel(
        Path path, Path folder, String source, Optional<String> revision, long fetchedBytes, List<String> notes) {

    /** Keeps a copy of the notes. */
    public FetchedModel {
        notes = List.copyOf(notes);
    }
}
