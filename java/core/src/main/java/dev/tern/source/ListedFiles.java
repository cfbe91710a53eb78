package dev.tern.source;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A folder that the server listed whole.
 *
 * @param kind what a revision is called, such as "commit"
 * @param files by name, in the server's order
 */
record ListedFiles(String kind, String revision, Map<String, RemoteFile> files) implements RemoteFolder.Listing {
    @Override
    public String revisionInWords() {
        return kind + " " + revision;
    }

    @Override
    public List<String> names() {
        return List.copyOf(files.keySet());
    }

    @Override
    public Optional<RemoteFile> find(String name) {
        return Optional.ofNullable(files.get(name));
    }
}
