package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_kernels_h;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/** The functions of {@code tern_kernels.h} that are not kernels, in a library that was opened for the life of the process. */
final class EntryPoints {
    /** Longest text read from the library: a wrong one must not make us read on for ever. */
    private static final int MAX_TEXT = 4096;

    private final Path file;
    private final SymbolLookup lookup;

    private EntryPoints(Path file, SymbolLookup lookup) {
        this.file = file;
        this.lookup = lookup;
    }

    /**
     * Opens a library.
     *
     * @param cure what to do when the system refuses it, as a clause
     * @throws KernelUnavailableException when the system cannot load it, with its reason
     * @throws IllegalCallerException when Java forbids native code to this module
     */
    static EntryPoints load(Path file, String cure) {
        try {
            return new EntryPoints(file, SymbolLookup.libraryLookup(file, Arena.global()));
        } catch (IllegalArgumentException e) {
            throw new KernelUnavailableException(
                    file + ": the system cannot load it: " + reason(file.toAbsolutePath()) + "; " + cure);
        }
    }

    /** Why no native code can be called at all. */
    static KernelUnavailableException forbidden(RuntimeException e) {
        return new KernelUnavailableException(e instanceof IllegalCallerException
                ? "Java forbids native code to module dev.tern.kernels (" + e.getMessage()
                        + "); run it with --enable-native-access=dev.tern.kernels"
                : "this Java cannot call native code: " + e.getMessage());
    }

    /** What the system's loader has against a library: {@code libraryLookup} does not say, {@code System.load} does. */
    private static String reason(Path file) {
        try {
            System.load(file.toString());
            return "it gave no reason";
        } catch (UnsatisfiedLinkError e) {
            return e.getMessage().replace(file + ": ", "");
        }
    }

    int abiVersion() {
        try {
            return (int) handle("tern_abi_version", FunctionDescriptor.of(tern_kernels_h.C_INT)).invokeExact();
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    MemorySegment abiHash() {
        try {
            return (MemorySegment)
                    handle("tern_abi_hash", FunctionDescriptor.of(tern_kernels_h.C_POINTER)).invokeExact();
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    MemorySegment lutAbiHash() {
        try {
            return (MemorySegment)
                    handle("tern_lut_abi_hash", FunctionDescriptor.of(tern_kernels_h.C_POINTER)).invokeExact();
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    MemorySegment lutKernelsOf(int path) {
        return ofNumber("tern_lut_kernels_of", path);
    }

    MemorySegment tierName(int tier) {
        return ofNumber("tern_tier_name", tier);
    }

    MemorySegment tierObstacle(int tier) {
        return ofNumber("tern_tier_obstacle", tier);
    }

    MemorySegment kernelsOf(int tier) {
        return ofNumber("tern_kernels_of", tier);
    }

    /** A C string, empty for null. */
    Optional<String> text(String function, MemorySegment string) {
        if (string.address() == 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(string.reinterpret(MAX_TEXT).getString(0));
        } catch (IndexOutOfBoundsException e) {
            throw new KernelUnavailableException(file + ": " + function + " gives no text; build it again");
        }
    }

    private MemorySegment ofNumber(String function, int number) {
        FunctionDescriptor descriptor = FunctionDescriptor.of(tern_kernels_h.C_POINTER, tern_kernels_h.C_INT);
        try {
            return (MemorySegment) handle(function, descriptor).invokeExact(number);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    private MethodHandle handle(String name, FunctionDescriptor descriptor) {
        MemorySegment address = lookup.find(name).orElseThrow(() -> new KernelUnavailableException(
                file + ": no library of Tern's kernels: it has no function " + name));
        return Linker.nativeLinker().downcallHandle(address, descriptor);
    }

    /** A downcall throws nothing of its own. */
    private static RuntimeException unchecked(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(e);
    }
}
