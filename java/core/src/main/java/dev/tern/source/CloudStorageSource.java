package dev.tern.source;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A folder of a bucket of Google Cloud Storage.
 *
 * @param folders its path in the bucket, name by name
 * @param file the weights file that is named, or empty
 */
record CloudStorageSource(String bucket, List<String> folders, String file) implements RemoteSource {

    @Override
    public boolean remote() {
        return true;
    }

    @Override
    public String name() {
        return folders.isEmpty() ? bucket : folders.getLast();
    }

    @Override
    public String label() {
        return "gs://" + bucket + (folders.isEmpty() ? "" : "/" + String.join("/", folders));
    }

    @Override
    public List<String> cachePath(FetchOptions options) {
        return Stream.concat(Stream.of("storage.googleapis.com", bucket), folders.stream()).toList();
    }

    @Override
    public RemoteFolder connect(Http http, FetchOptions options) {
        Optional<String> emulator = options.variable("STORAGE_EMULATOR_HOST");
        String endpoint = emulator.map(host -> host.contains("://") ? host : "http://" + host)
                .orElse("https://storage.googleapis.com")
                .replaceAll("/+$", "");
        return new CloudStorage(this, http, endpoint, () -> GoogleCredentials.find(options, http));
    }
}
