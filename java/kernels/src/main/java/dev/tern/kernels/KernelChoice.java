package dev.tern.kernels;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Who computes, and why not better. Immutable and thread-safe.
 *
 * <p>The native library is looked for once, at the first use of this class. {@code TERN_NATIVE=off} leaves it alone,
 * {@code TERN_LIBRARY=PATH} names another, and {@code TERN_MAX_TIER=LABEL} keeps {@link #best} and
 * {@link #requireNative} from choosing a higher {@link Tier}. The Java reference gives the same results, many times
 * slower.
 */
public final class KernelChoice {
    private final Kernels kernels;
    private final List<String> notes;
    private final LibraryStatus status;

    private KernelChoice(Kernels kernels, List<String> notes, LibraryStatus status) {
        this.kernels = kernels;
        this.notes = List.copyOf(notes);
        this.status = status;
    }

    /** Linking and loading wait until somebody asks. */
    private static final class ThisProcess {
        static final NativeSetting SETTING = NativeSetting.ofThisProcess();
        static final NativeLibrary LIBRARY = new NativeLibrary(SETTING);
        static final KernelChoice BEST = best(SETTING, LIBRARY);
    }

    /**
     * The fastest kernels this machine can run; the Java reference, with the reason in {@link #notes}, failing those.
     */
    public static KernelChoice best() {
        return ThisProcess.BEST;
    }

    /**
     * The fastest native kernels this machine can run.
     *
     * @throws KernelUnavailableException when there are none, with the reason
     */
    public static KernelChoice requireNative() {
        return requireNative(best());
    }

    /**
     * Exactly this tier, whatever {@code TERN_MAX_TIER} says.
     *
     * @throws KernelUnavailableException when it cannot be had, with the reason
     */
    public static Kernels of(Tier tier) {
        return tier == Tier.JAVA ? new ReferenceKernels() : of(tier, ThisProcess.LIBRARY);
    }

    /**
     * Finds the native library and links the kernels that every forward pass calls. In a process that has just begun
     * this takes as long as reading a small model, so that a program which is about to load one may call it on another
     * thread meanwhile. Nothing depends on it; a second call does nothing.
     */
    public static void prepare() {
        if (best().kernels() instanceof NativeKernels) {
            NativeKernels.link();
        }
    }

    /** What became of the native library. */
    public static LibraryStatus status() {
        return best().status;
    }

    /** The look-up-table kernels of the native library. */
    static Optional<LutLibrary> lut() {
        return ThisProcess.LIBRARY.lut();
    }

    /** The kernels chosen. */
    public Kernels kernels() {
        return kernels;
    }

    /** Why nothing better was chosen, a sentence each; empty when nothing was held back. */
    public List<String> notes() {
        return notes;
    }

    LibraryStatus libraryStatus() {
        return status;
    }

    static KernelChoice best(NativeSetting setting, NativeLibrary library) {
        Optional<String> failure = library.failure();
        Optional<String> word = setting.variable("TERN_MAX_TIER");
        Optional<Tier> cap = word.flatMap(KernelChoice::tier);
        if (failure.isEmpty() && word.isPresent() && cap.isEmpty()) {
            failure = Optional.of("TERN_MAX_TIER=" + word.get() + " names no tier; expected one of "
                    + Arrays.stream(Tier.values()).map(Tier::label).collect(Collectors.joining(", ")));
        }
        List<String> notes = new ArrayList<>();
        Optional<String> cappedBy = Optional.empty();
        Kernels chosen = new ReferenceKernels();
        List<String> obstacles = new ArrayList<>();
        if (failure.isPresent()) {
            notes.add(failure.get());
        } else {
            for (LibraryStatus.TierStatus status : library.tiers()) {
                Tier tier = status.tier();
                if (status.obstacle().isPresent()) {
                    obstacles.add(tier.label() + " kernels: " + status.obstacle().get());
                } else if (cap.isPresent() && tier.compareTo(cap.get()) > 0) {
                    cappedBy = Optional.of("TERN_MAX_TIER=" + cap.get().label());
                } else {
                    chosen = library.kernels(tier).orElseThrow();
                }
            }
            cappedBy.ifPresent(variable -> notes.add(variable + " keeps faster kernels from being used"));
        }
        if (chosen.tier().compareTo(Tier.SCALAR) <= 0) { // else there are vectors: what is above is no surprise
            notes.addAll(0, obstacles);
        }
        if (chosen.tier() == Tier.JAVA) {
            notes.add("computing with the Java reference, which is many times slower than native kernels");
        }
        LibraryStatus status = new LibraryStatus(
                library.origin(),
                library.path(),
                library.abiVersion(),
                library.abiHash(),
                library.tiers(),
                chosen.tier(),
                cappedBy,
                failure);
        return new KernelChoice(chosen, notes, status);
    }

    static KernelChoice requireNative(KernelChoice best) {
        if (best.kernels.tier() == Tier.JAVA) {
            throw new KernelUnavailableException("native kernels are required but cannot be used: "
                    + best.status.failure().or(best.status::cappedBy).orElseGet(() -> String.join("; ", best.notes)));
        }
        return best;
    }

    static Kernels of(Tier tier, NativeLibrary library) {
        return library.kernels(tier).orElseThrow(() -> new KernelUnavailableException(
                tier.label() + " kernels: " + library.failure().orElseGet(() -> obstacle(tier, library))));
    }

    private static String obstacle(Tier tier, NativeLibrary library) {
        return library.tiers().stream()
                .filter(status -> status.tier() == tier)
                .flatMap(status -> status.obstacle().stream())
                .findFirst()
                .orElse("the library has none");
    }

    /** The tier that users know by a name. */
    static Optional<Tier> tier(String label) {
        return Arrays.stream(Tier.values()).filter(tier -> tier.label().equals(label)).findFirst();
    }
}
