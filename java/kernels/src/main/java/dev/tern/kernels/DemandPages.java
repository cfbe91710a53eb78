package dev.tern.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * Memory that costs nothing until it is used: zeroed, as an arena's own, but each page is made when somebody first
 * writes to it (demand paging), where an arena writes zeros to all at once. For room that is as large as the largest
 * case and mostly used in part. Stateless and thread-safe.
 */
public final class DemandPages {
    private static final long LEAST = 1 << 16; // what is smaller is not worth a mapping
    private static final long PAGE = 4096; // at least

    private DemandPages() {}

    /**
     * An allocator of such memory. What is small comes from the arena itself, as does everything where the system has
     * no such memory to give.
     *
     * @param arena with which the memory lives
     */
    public static SegmentAllocator in(Arena arena) {
        return (bytes, alignment) -> bytes < LEAST || alignment > PAGE
                ? arena.allocate(bytes, alignment)
                : SystemMemory.get()
                        .map(system -> mapped(system, arena, bytes, alignment))
                        .orElseGet(() -> arena.allocate(bytes, alignment));
    }

    private static MemorySegment mapped(SystemMemory system, Arena arena, long bytes, long alignment) {
        long address = system.map(bytes);
        return address == -1 ? arena.allocate(bytes, alignment) : system.segment(arena, address, bytes);
    }
}
