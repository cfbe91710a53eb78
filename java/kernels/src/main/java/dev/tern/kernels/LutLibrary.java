package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_lut_kernels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * A library with look-up-table kernels: libtern itself, or one generated beside it. Immutable and thread-safe; it stays loaded
 * for the life of the process.
 */
public final class LutLibrary {
    private final Path file;
    private final Map<LutPath, LutKernels> paths = new EnumMap<>(LutPath.class);

    private LutLibrary(Path file) {
        this.file = file;
    }

    /** The kernels of libtern, for the published models; empty when there is no libtern or TERN_NATIVE is off. */
    public static Optional<LutLibrary> ofLibtern() {
        return KernelChoice.lut();
    }

    /**
     * Opens a library that was built beside libtern.
     *
     * @param file the library
     * @param sha256 of the file, as its builder noted it; another file is not loaded
     * @throws KernelUnavailableException when it is not that file, cut short, built with another tern_kernels.h, or the system
     *     or Java refuses it
     */
    public static LutLibrary open(Path file, String sha256) {
        try {
            if (!PackedLibrary.holds(file, sha256)) {
                throw new KernelUnavailableException(
                        file + ": is not the library that was built: its SHA-256 is not " + sha256 + "; remove it");
            }
            String damage = NativeLibrary.damage(file);
            if (!damage.isEmpty()) {
                throw new KernelUnavailableException(file + ": " + damage + "; build it again");
            }
        } catch (IOException e) {
            throw new KernelUnavailableException(file + ": cannot be read: " + e.getMessage());
        }
        try {
            return of(file, EntryPoints.load(file, "remove it, and build it on this machine"));
        } catch (IllegalCallerException | UnsupportedOperationException e) {
            throw EntryPoints.forbidden(e);
        }
    }

    static LutLibrary of(Path file, EntryPoints library) {
        String hash = library.text("tern_lut_abi_hash", library.lutAbiHash()).orElse("nothing");
        String expected = NativeLibrary.headerHash();
        if (!hash.equals(expected)) {
            throw new KernelUnavailableException(file + ": its look-up-table kernels were built with another"
                    + " tern_kernels.h: its SHA-256 is " + hash + ", expected " + expected + "; build them again");
        }
        LutLibrary opened = new LutLibrary(file);
        for (LutPath path : LutPath.values()) {
            MemorySegment table = library.lutKernelsOf(path.code());
            if (table.address() != 0) {
                opened.paths.put(path, new LutKernels(file, path, table.reinterpret(tern_lut_kernels.sizeof())));
            }
        }
        if (opened.paths.isEmpty()) {
            throw new KernelUnavailableException(file + ": has no look-up-table kernels; build it again");
        }
        return opened;
    }

    /** The file. */
    public Path file() {
        return file;
    }

    /** The kernels of one path, empty when the library was built without it or this machine cannot run it. */
    public Optional<LutKernels> kernels(LutPath path) {
        return Optional.ofNullable(paths.get(path));
    }

    /**
     * The kernels to go with a tier: those of its {@link LutPath#of path}, or plain C where the library lacks it. Empty for the
     * Java reference.
     */
    public Optional<LutKernels> kernels(Tier tier) {
        return tier == Tier.JAVA ? Optional.empty() : kernels(LutPath.of(tier)).or(() -> kernels(LutPath.PORTABLE));
    }
}
