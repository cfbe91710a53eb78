package dev.tern.kernels;

import dev.tern.kernels.LibraryStatus.Origin;
import dev.tern.kernels.LibraryStatus.TierStatus;
import dev.tern.kernels.ffi.tern_kernels;
import dev.tern.kernels.ffi.tern_kernels_h;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * libtern, found, verified and opened, or the reason why not. Immutable and thread-safe; a library stays loaded for the
 * life of the process.
 *
 * <p>{@code TERN_NATIVE=off}: none. {@code TERN_LIBRARY=PATH}: that file. Else the one packed into the jar. Before
 * anything else of a library is used it must name the ABI version and the header that the bindings were made from.
 */
final class NativeLibrary {
    /** Written by jextract's profile beside the bindings. */
    private static final String PROVENANCE = "ffi/jextract.properties";

    private static final String SAME_SOURCES = "build the library and Tern from the same sources";

    private static final int ELF = 0x464c457f;
    private static final int MACH_O = 0xfeedfacf;
    private static final int MACH_O_UNIVERSAL = 0xbebafeca;

    private final Origin origin;
    private final Map<Tier, NativeKernels> kernels = new EnumMap<>(Tier.class);
    private final List<TierStatus> tiers = new ArrayList<>();
    private Optional<Path> path = Optional.empty();
    private Optional<Integer> abiVersion = Optional.empty();
    private Optional<String> abiHash = Optional.empty();
    private Optional<String> failure = Optional.empty();
    private Optional<LutLibrary> lut = Optional.empty();

    NativeLibrary(NativeSetting setting) {
        String mode = setting.variable("TERN_NATIVE").orElse("on");
        Optional<String> named = setting.variable("TERN_LIBRARY");
        origin = mode.equals("off") ? Origin.OFF : named.isPresent() ? Origin.NAMED : Origin.PACKAGED;
        try {
            switch (mode) {
                case "off" -> throw new KernelUnavailableException("TERN_NATIVE=off turns the native kernels off");
                case "on" -> open(named.isPresent() ? namedFile(named.get()) : new PackedLibrary(setting).file());
                default -> throw new KernelUnavailableException(
                        "TERN_NATIVE=" + mode + ": expected on or off; correct it or unset it");
            }
        } catch (KernelUnavailableException e) {
            kernels.clear();
            tiers.clear();
            lut = Optional.empty();
            failure = Optional.of(e.getMessage());
        }
    }

    Origin origin() {
        return origin;
    }

    Optional<Path> path() {
        return path;
    }

    Optional<Integer> abiVersion() {
        return abiVersion;
    }

    Optional<String> abiHash() {
        return abiHash;
    }

    /** The native tiers, ascending; empty without a library. */
    List<TierStatus> tiers() {
        return List.copyOf(tiers);
    }

    /** Why there is no library. */
    Optional<String> failure() {
        return failure;
    }

    /** The kernels of a native tier, empty when {@link #failure} or the tier's obstacle says why. */
    Optional<NativeKernels> kernels(Tier tier) {
        return Optional.ofNullable(kernels.get(tier));
    }

    /** Its look-up-table kernels, empty without a library. */
    Optional<LutLibrary> lut() {
        return lut;
    }

    private static Path namedFile(String named) {
        Path file = Path.of(named).toAbsolutePath();
        String problem;
        try {
            problem = !Files.exists(file)
                    ? "does not exist"
                    : !Files.isRegularFile(file) ? "is not a file" : damage(file);
        } catch (IOException e) {
            problem = "cannot be read: " + e;
        }
        if (!problem.isEmpty()) {
            throw new KernelUnavailableException(
                    "TERN_LIBRARY=" + named + ": " + file + " " + problem + "; correct it or unset it");
        }
        return file;
    }

    /**
     * What is wrong with a library on the face of it, or "". The system's loader maps an ELF file by what its headers
     * say, and a file cut short, by an interrupted copy, takes the process down with it; the table of sections comes
     * last, so its end tells. Of anything but a library Java warns that it damages stacks.
     */
    static String damage(Path file) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        try (InputStream in = Files.newInputStream(file)) {
            header.put(in.readNBytes(header.capacity())).clear();
        }
        int magic = header.getInt(0);
        if (magic == MACH_O || magic == MACH_O_UNIVERSAL) {
            return "";
        }
        if (magic != ELF) {
            return "is no shared library";
        }
        long end = header.getLong(0x28) + (long) header.getShort(0x3a) * header.getShort(0x3c);
        long size = Files.size(file);
        return end <= size ? "" : "is cut short: it has " + size + " bytes, expected " + end;
    }

    private void open(Path file) {
        path = Optional.of(file);
        try {
            EntryPoints library = EntryPoints.load(file, "build it on this machine, or set TERN_NATIVE=off");
            checkAbi(file, library);
            for (Tier tier : Tier.values()) {
                if (tier != Tier.JAVA) {
                    open(file, library, tier);
                }
            }
            lut = Optional.of(LutLibrary.of(file, library));
        } catch (IllegalCallerException | UnsupportedOperationException e) {
            throw EntryPoints.forbidden(e);
        }
    }

    private void checkAbi(Path file, EntryPoints library) {
        int version = library.abiVersion();
        abiVersion = Optional.of(version);
        if (version != tern_kernels_h.TERN_ABI_VERSION()) {
            throw new KernelUnavailableException(file + ": built for version " + version + " of Tern's kernels, "
                    + "expected " + tern_kernels_h.TERN_ABI_VERSION() + "; " + SAME_SOURCES);
        }
        String hash = library.text("tern_abi_hash", library.abiHash()).orElse("nothing");
        abiHash = Optional.of(hash);
        String expected = headerHash();
        if (!hash.equals(expected)) {
            throw new KernelUnavailableException(file + ": built with another tern_kernels.h: its SHA-256 is " + hash
                    + ", expected " + expected + "; " + SAME_SOURCES);
        }
    }

    private void open(Path file, EntryPoints library, Tier tier) {
        String name = library.text("tern_tier_name", library.tierName(tier.code())).orElse("nothing");
        if (!name.equals(tier.label())) {
            throw new KernelUnavailableException(
                    file + ": calls tier " + tier.code() + " \"" + name + "\", expected \"" + tier.label() + "\"");
        }
        Optional<String> obstacle = library.text("tern_tier_obstacle", library.tierObstacle(tier.code()));
        tiers.add(new TierStatus(tier, obstacle));
        if (obstacle.isEmpty()) {
            MemorySegment table = library.kernelsOf(tier.code());
            if (table.address() == 0) {
                throw new KernelUnavailableException(
                        file + ": has no kernels of tier " + name + " and does not say why");
            }
            kernels.put(tier, new NativeKernels(tier, table.reinterpret(tern_kernels.sizeof())));
        }
    }

    /** SHA-256 of the header that the bindings were made from. */
    static String headerHash() {
        try (InputStream in = NativeLibrary.class.getResourceAsStream(PROVENANCE)) {
            if (in == null) {
                throw new KernelUnavailableException(PROVENANCE + " is missing beside the bindings; reinstall Tern");
            }
            Properties provenance = new Properties();
            provenance.load(in);
            return provenance.getProperty("header.sha256", "nothing");
        } catch (IOException e) {
            throw new KernelUnavailableException(PROVENANCE + " of the bindings cannot be read: " + e);
        }
    }
}
