package dev.tern.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Memory in pages of the usual size even where the system would give pages of 2 MiB unasked: to measure what those are
 * worth. Stateless and thread-safe.
 */
public final class SmallPages {
    private SmallPages() {}

    /**
     * Zeroed memory whose pages are made by the thread that first writes to each.
     *
     * @param arena at whose close the memory is given back to the system
     * @param bytes at least 1
     * @return a segment of that size that begins at a multiple of 4 KiB; empty where the system has no such memory
     */
    public static Optional<MemorySegment> allocate(Arena arena, long bytes) {
        return SystemMemory.get().flatMap(system -> {
            long address = system.map(bytes);
            if (address == -1) { // MAP_FAILED
                return Optional.empty();
            }
            system.adviseSmall(address, bytes);
            return Optional.of(system.segment(arena, address, bytes));
        });
    }
}
