package dev.tern.kernels;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What became of the native library, for people: {@code tern doctor} prints it. Every text is a sentence that says
 * what, where, what was expected and found, and the cure.
 *
 * @param origin where the library was looked for
 * @param path the file that was loaded, or was to be
 * @param abiVersion {@code tern_abi_version} of the library, when it answered
 * @param abiHash {@code tern_abi_hash} of the library, when it answered
 * @param tiers the native tiers, ascending, each with the reason why this machine cannot run it; empty without a
 *     library
 * @param active the tier that {@link KernelChoice#best} gives
 * @param cappedBy what keeps a higher tier from being used although the machine could run it
 * @param failure why there is no native library, or why it is not used
 */
public record LibraryStatus(
        Origin origin,
        Optional<Path> path,
        Optional<Integer> abiVersion,
        Optional<String> abiHash,
        List<TierStatus> tiers,
        Tier active,
        Optional<String> cappedBy,
        Optional<String> failure) {

    public LibraryStatus {
        tiers = List.copyOf(tiers);
    }

    /** Where the native library comes from. */
    public enum Origin {
        /** Packed into Tern's jar. */
        PACKAGED,
        /** Named by {@code TERN_LIBRARY}. */
        NAMED,
        /** Not looked for: {@code TERN_NATIVE=off}. */
        OFF
    }

    /** A tier of the library and what keeps this machine from running it, if anything. */
    public record TierStatus(Tier tier, Optional<String> obstacle) {}
}
