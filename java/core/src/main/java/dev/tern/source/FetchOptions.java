package dev.tern.source;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * How to fetch a model. Immutable; made by {@link #builder}.
 *
 * @param offline use only what is in the cache
 * @param weights whether weights are wanted too, or only configuration and tokenizer
 * @param connections at most, to all servers together
 * @param folder the folder for the model; empty for one in the cache
 * @param environment the variables that are read: {@code TERN_CACHE}, {@code TERN_OFFLINE}, {@code XDG_CACHE_HOME},
 *     {@code HOME}; {@code HF_ENDPOINT}, {@code HF_TOKEN} and its kin; {@code GOOGLE_APPLICATION_CREDENTIALS},
 *     {@code CLOUDSDK_CONFIG}, {@code APPDATA}, {@code STORAGE_EMULATOR_HOST}, {@code GCE_METADATA_HOST},
 *     {@code NO_GCE_CHECK}; {@code HTTPS_PROXY}, {@code ALL_PROXY}, {@code NO_PROXY}, in small letters too
 * @param progress hears how far it is
 * @param patience when a server is given up
 */
public record FetchOptions(
        boolean offline,
        boolean weights,
        int connections,
        Optional<Path> folder,
        Map<String, String> environment,
        FetchProgress progress,
        Patience patience) {

    /** @throws IllegalArgumentException when the number of connections is outside 1 to 32 */
    public FetchOptions {
        if (connections < 1 || connections > 32) {
            throw new IllegalArgumentException("connections: expected 1 to 32, found " + connections);
        }
        environment = Map.copyOf(environment);
    }

    /** Online unless {@code TERN_OFFLINE} is set, weights too, six connections, into the cache, telling nobody. */
    public static FetchOptions defaults() {
        return builder().build();
    }

    /** Starts from {@link #defaults}. */
    public static Builder builder() {
        return new Builder();
    }

    FetchOptions with(Patience other) {
        return new FetchOptions(offline, weights, connections, folder, environment, progress, other);
    }

    /** A variable that is set to more than the empty string. */
    Optional<String> variable(String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
    }

    /** Not the environment, which holds secrets. */
    @Override
    public String toString() {
        return "FetchOptions[offline=" + offline + ", weights=" + weights + ", connections=" + connections
                + ", folder=" + folder
                + "]";
    }

    /** Builds {@link FetchOptions}. Not thread-safe. */
    public static final class Builder {
        private boolean offline;
        private boolean weights = true;
        private int connections = 6;
        private Optional<Path> folder = Optional.empty();
        private Map<String, String> environment = System.getenv();
        private FetchProgress progress = (task, done, total) -> {};
        private Patience patience = Patience.DEFAULT;

        private Builder() {}

        /** Whether to do without the network; {@code TERN_OFFLINE=1} in the environment says so too. */
        public Builder offline(boolean value) {
            offline = value;
            return this;
        }

        /** Whether weights are wanted, or only configuration and tokenizer. */
        public Builder weights(boolean value) {
            weights = value;
            return this;
        }

        /** How many connections to open at most, 1 to 32. */
        public Builder connections(int value) {
            connections = value;
            return this;
        }

        /** A folder for the model instead of one in the cache: new, empty, or one that an earlier fetch made. */
        public Builder folder(Path value) {
            folder = Optional.of(value);
            return this;
        }

        /** Variables to read instead of the process's. */
        public Builder environment(Map<String, String> value) {
            environment = value;
            return this;
        }

        /** Who hears how far it is. */
        public Builder progress(FetchProgress listener) {
            progress = listener;
            return this;
        }

        /** When a server is given up. */
        public Builder patience(Patience value) {
            patience = value;
            return this;
        }

        /** The options. */
        public FetchOptions build() {
            String variable = environment.getOrDefault("TERN_OFFLINE", "");
            boolean off = offline
                    || !(variable.isBlank() || variable.equals("0") || variable.equalsIgnoreCase("false"));
            return new FetchOptions(off, weights, connections, folder, environment, progress, patience);
        }
    }
}
