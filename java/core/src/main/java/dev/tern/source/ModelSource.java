package dev.tern.source;

import dev.tern.io.InputException;

/**
 * Where a model's checkpoint is: {@code ModelSource.parse("hf://org/name").fetch(FetchOptions.defaults()).path()} is
 * what {@link dev.tern.convert.Converter#from} takes. Immutable and thread-safe; any number of fetches, of this process
 * and of others, may run at once, and those of the same model wait for each other.
 *
 * <p>Of a remote folder only what a checkpoint is read from is fetched: configuration, tokenizer, chat template, and
 * model.safetensors or the shards that model.safetensors.index.json names. Files appear in the cache whole, after their
 * checksums were compared; what a broken fetch leaves is taken up by the next.
 */
public sealed interface ModelSource permits LocalSource, RemoteSource {

    /**
     * Understands an address:
     *
     * <ul>
     *   <li>a path or {@code file:} URL of a folder or safetensors file on this machine,
     *   <li>{@code hf://ORG/NAME[@REVISION][/SUBFOLDER]}, or the address of the model's page,
     *   <li>{@code gs://BUCKET/PREFIX},
     *   <li>{@code https://HOST/FOLDER/}, or the URL of its config.json, model.safetensors or index; {@code http://}
     *       for servers on this machine.
     * </ul>
     *
     * Instead of a folder a {@code .safetensors} file in it may be named. Nothing is looked up yet.
     *
     * @throws InputException when it is none of these
     */
    static ModelSource parse(String address) {
        return Addresses.parse(address);
    }

    /** Whether a fetch may need a network. */
    boolean remote();

    /** What a person would call the model: the last part of its address. */
    String name();

    /** The address, without anything secret in it. */
    String label();

    /**
     * Provides the model on this machine; returns at once when it lies here. Blocks; an interrupt ends it.
     *
     * @throws InputException when it cannot be had, with the reason and the cure
     */
    FetchedModel fetch(FetchOptions options);
}
