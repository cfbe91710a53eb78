package dev.tern.source;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A model on the Hugging Face hub.
 *
 * @param organization or user
 * @param repository the model's name
 * @param revision a branch, tag or commit
 * @param subfolder in the repository, name by name
 * @param file the weights file that is named, or empty
 */
record HuggingFaceSource(String organization, String repository, String revision, List<String> subfolder, String file)
        implements RemoteSource {

    @Override
    public boolean remote() {
        return true;
    }

    @Override
    public String name() {
        return repository;
    }

    @Override
    public String label() {
        return "hf://" + organization + "/" + repository + (revision.equals("main") ? "" : "@" + revision)
                + (subfolder.isEmpty() ? "" : "/" + String.join("/", subfolder));
    }

    @Override
    public List<String> cachePath() {
        return Stream.of("huggingface.co", organization, repository).toList();
    }

    @Override
    public String reference() {
        return revision;
    }

    /** Git's commits never change. */
    @Override
    public Optional<String> pinned() {
        return revision.matches("[0-9a-f]{40}") ? Optional.of(revision) : Optional.empty();
    }

    @Override
    public RemoteFolder connect(Http http, FetchOptions options) {
        String endpoint = options.variable("HF_ENDPOINT").orElse("https://huggingface.co").replaceAll("/+$", "");
        return new HuggingFaceHub(this, http, endpoint, HuggingFaceToken.find(options));
    }
}
