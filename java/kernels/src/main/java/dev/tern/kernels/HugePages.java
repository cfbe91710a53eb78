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
 * Memory in pages of 2 MiB where the system gives them: weights that are read from end to end for every token come
 * faster from them, since the processor looks up and prefetches by page. On Linux the memory is mapped by itself,
 * begins at a multiple of 2 MiB and is advised {@code MADV_HUGEPAGE}; its pages are made, zero, by the thread that
 * first writes to each, and so near that thread's processor. Everywhere else, and where mapping fails, it is an arena's
 * own memory.
 * Stateless and thread-safe.
 */
public final class HugePages {
    /** Bytes of a huge page. */
    public static final long PAGE = 2L << 20;

    private static final int READ_WRITE = 3; // PROT_READ | PROT_WRITE
    private static final int PRIVATE_ANONYMOUS = 0x22; // of Linux on x86-64 and AArch64
    private static final int ADVISE_HUGE = 14; // MADV_HUGEPAGE

    private HugePages() {}

    /** The functions of the C library, looked up when somebody first allocates. */
    private static final class Calls {
        static final Optional<Calls> THIS = find();

        final MethodHandle map;
        final MethodHandle unmap;
        final MethodHandle advise;

        private Calls(Linker linker, MemorySegment map, MemorySegment unmap, MemorySegment advise) {
            ValueLayout.OfLong size = ValueLayout.JAVA_LONG;
            ValueLayout.OfInt number = ValueLayout.JAVA_INT;
            this.map = linker.downcallHandle(
                    map, FunctionDescriptor.of(size, size, size, number, number, number, size));
            this.unmap = linker.downcallHandle(unmap, FunctionDescriptor.of(number, size, size));
            this.advise = linker.downcallHandle(advise, FunctionDescriptor.of(number, size, size, number));
        }

        private static Optional<Calls> find() {
            String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
            if (!os.startsWith("linux") || ValueLayout.ADDRESS.byteSize() != 8) {
                return Optional.empty();
            }
            try {
                Linker linker = Linker.nativeLinker();
                SymbolLookup library = linker.defaultLookup();
                return library.find("mmap").flatMap(map -> library.find("munmap")
                        .flatMap(unmap -> library.find("madvise")
                                .map(advise -> new Calls(linker, map, unmap, advise))));
            } catch (UnsupportedOperationException | IllegalCallerException e) {
                return Optional.empty(); // no native code on this platform, or none for this module
            }
        }

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

        void adviseHuge(long address, long bytes) {
            try {
                int unused = (int) advise.invokeExact(address, bytes, ADVISE_HUGE); // refused: pages stay small
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /**
     * Zeroed memory, in huge pages where they can be had.
     *
     * @param arena at whose close the memory is given back to the system
     * @param bytes at least 0
     * @return a segment of that size that begins at a multiple of 2 MiB (of 64 bytes where there are no huge pages)
     */
    public static MemorySegment allocate(Arena arena, long bytes) {
        return Calls.THIS.flatMap(calls -> mapped(calls, arena, bytes)).orElseGet(() -> ordinary(arena, bytes));
    }

    /** What is given where the system has no huge pages. */
    static MemorySegment ordinary(Arena arena, long bytes) {
        return arena.allocate(bytes, 64);
    }

    /** Whole huge pages at a multiple of their size: one more is mapped, and what is too much unmapped again. */
    private static Optional<MemorySegment> mapped(Calls calls, Arena arena, long bytes) {
        long size = Math.ceilDiv(Math.max(bytes, 1), PAGE) * PAGE;
        long start = calls.map(size + PAGE);
        if (start == -1) { // MAP_FAILED
            return Optional.empty();
        }
        long address = Math.ceilDiv(start, PAGE) * PAGE;
        if (address > start) {
            calls.unmap(start, address - start);
        }
        calls.unmap(address + size, start + PAGE - address); // at least a byte: address - start is less than a page
        calls.adviseHuge(address, size);
        MemorySegment memory;
        try {
            memory = MemorySegment.ofAddress(address)
                    .reinterpret(size, arena, ignored -> calls.unmap(address, size));
        } catch (RuntimeException e) { // the arena is closed, or another thread's
            calls.unmap(address, size);
            throw e;
        }
        return Optional.of(memory.asSlice(0, bytes));
    }
}
