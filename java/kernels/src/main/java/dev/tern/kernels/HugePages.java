package dev.tern.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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

    private HugePages() {}

    /**
     * Zeroed memory, in huge pages where they can be had.
     *
     * @param arena at whose close the memory is given back to the system
     * @param bytes at least 0
     * @return a segment of that size that begins at a multiple of 2 MiB (of 64 bytes where there are no huge pages)
     */
    public static MemorySegment allocate(Arena arena, long bytes) {
        return SystemMemory.get()
                .flatMap(system -> mapped(system, arena, bytes))
                .orElseGet(() -> ordinary(arena, bytes));
    }

    /** What is given where the system has no huge pages. */
    static MemorySegment ordinary(Arena arena, long bytes) {
        return arena.allocate(bytes, 64);
    }

    /** Whole huge pages at a multiple of their size: one more is mapped, and what is too much unmapped again. */
    private static Optional<MemorySegment> mapped(SystemMemory system, Arena arena, long bytes) {
        long size = Math.ceilDiv(Math.max(bytes, 1), PAGE) * PAGE;
        long start = system.map(size + PAGE);
        if (start == -1) { // MAP_FAILED
            return Optional.empty();
        }
        long address = Math.ceilDiv(start, PAGE) * PAGE;
        if (address > start) {
            system.unmap(start, address - start);
        }
        system.unmap(address + size, start + PAGE - address); // at least a byte: address - start is less than a page
        system.adviseHuge(address, size);
        return Optional.of(system.segment(arena, address, size).asSlice(0, bytes));
    }
}
