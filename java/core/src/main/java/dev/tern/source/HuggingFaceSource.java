package dev.tern.source;

import java.net.URI;
import java.util.List;
import java.util.Optional;

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
    private static final String ENDPOINT = "HF_ENDPOINT";

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
        return "hf://" + organization + "/" + repository + (revision.equals("main") ? "" : "@" + reference(revision))
                + (subfolder.isEmpty() ? "" : "/" + String.join("/", subfolder));
    }

    /** As the grammar of addresses has it: only these references have slashes. */
    private static String reference(String revision) {
        return revision.matches("refs/(pr|convert)/[^/]+") ? revision : Addresses.encoded(revision);
    }

    @Override
    public List<String> cachePath(FetchOptions options) {
        URI hub = Http.endpoint(ENDPOINT, endpoint(options), "/");
        String host = hub.getHost() + (hub.getPort() < 0 ? "" : ":" + hub.getPort());
        return List.of(host, organization, repository);
    }

    /** The hub's address: another hub has other models under the same names. */
    private static String endpoint(FetchOptions options) {
        return options.variable(ENDPOINT).orElse("https://huggingface.co").replaceAll("/+$", "");
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
        return new HuggingFaceHub(this, http, endpoint(options), HuggingFaceToken.find(options));
    }
}
