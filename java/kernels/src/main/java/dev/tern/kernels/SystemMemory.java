package dev.tern.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Optional;

/**
 * Anonymous memory from the system itself: {@code mmap} and its relatives of the C library, on 64-bit Linux. Its pages
 * are zero and are made by whoever first writes to each. Stateless and thread-safe.
 */
final class SystemMemory {
    private static final int READ_WRITE = 3; // PROT_READ | PROT_WRITE
    private static final int PRIVATE_ANONYMOUS = 0x22; // of Linux on x86-64 and AArch64
    private static final int ADVISE_HUGE = 14; // MADV_HUGEPAGE
    private static final int ADVISE_SMALL = 15; // MADV_NOHUGEPAGE

    private final MethodHandle map;
    private final MethodHandle unmap;
    private final MethodHandle advise;

    private SystemMemory(Linker linker, MemorySegment map, MemorySegment unmap, MemorySegment advise) {
        ValueLayout.OfLong size = ValueLayout.JAVA_LONG;
        ValueLayout.OfInt number = ValueLayout.JAVA_INT;
        this.map =
                linker.downcallHandle(map, FunctionDescriptor.of(size, size, size, number, number, number, size));
        this.unmap = linker.downcallHandle(unmap, FunctionDescriptor.of(number, size, size));
        this.advise = linker.downcallHandle(advise, FunctionDescriptor.of(number, size, size, number));
    }

    /** The functions, looked up when somebody first asks. */
    private static final class Found {
        static final Optional<SystemMemory> THIS = find();
    }

    /** Empty where the system is another, or native code cannot be called. */
    static Optional<SystemMemory> get() {
        return Found.THIS;
    }

    private static Optional<SystemMemory> find() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (!os.startsWith("linux") || ValueLayout.ADDRESS.byteSize() != 8) {
            return Optional.empty();
        }
        try {
            Linker linker = Linker.nativeLinker();
            SymbolLookup library = linker.defaultLookup();
            return library.find("mmap").flatMap(map -> library.find("munmap")
                    .flatMap(unmap -> library.find("madvise")
                            .map(advise -> new SystemMemory(linker, map, unmap, advise))));
        } catch (UnsupportedOperationException | IllegalCallerException e) {
            return Optional.empty(); // no native code on this platform, or none for this module
        }
    }

    /** The address of new pages, or -1 when the system has none. */
    long map(long bytes) {
        try {
            return (long) map.invokeExact(0L, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    void unmap(long address, long bytes) {
        try {
            int unused = (int) unmap.invokeExact(address, bytes);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Asks for pages of 2 MiB; where that is refused they stay small. */
    void adviseHuge(long address, long bytes) {
        advise(address, bytes, ADVISE_HUGE);
    }

    /** Asks for pages of the usual size. */
    void adviseSmall(long address, long bytes) {
        advise(address, bytes, ADVISE_SMALL);
    }

    private void advise(long address, long bytes, int what) {
        try {
            int unused = (int) advise.invokeExact(address, bytes, what);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Mapped memory as a segment that is unmapped with its arena.
     *
     * @throws IllegalStateException when the arena is closed; the memory is unmapped then
     */
    MemorySegment segment(Arena arena, long address, long bytes) {
        try {
            return MemorySegment.ofAddress(address).reinterpret(bytes, arena, ignored -> unmap(address, bytes));
        } catch (RuntimeException e) { // the arena is closed, or another thread's
            unmap(address, bytes);
            throw e;
        }
    }
}
