package dev.tern.model;

import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import dev.tern.kernels.HugePages;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.TernaryEncoding;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/**
 * Brings the large tensors of a file into the memory that kernels read: one stretch of {@link HugePages} for all that
 * is not used in place, filled by all threads of the team. A member takes the same part of each matrix's rows first and
 * helps the others when it is done, so that the pages are spread over the processors' memories as the threads are.
 * (Which member reads a row in a pass is decided by arrival, so no part is always near.) The file's own pages are given
 * back share by share, however far apart the members are, so that a model is not in memory twice.
 */
final class MatrixLoader {
    private static final int TASK_WEIGHTS = 1 << 20; // of one task, so that all threads stay busy to the end
    private static final long TASK_BYTES = 1 << 22; // of one that copies
    private static final long LINE = 128; // from one matrix to the next: a multiple of two cache lines

    private final GgufFile file;
    private final Kernels kernels;
    private final LayoutChoice layouts;
    private final Arena arena;

    /**
     * @param arena holds what is not used in place; must live as long as the weights, as must the file
     */
    MatrixLoader(GgufFile file, Kernels kernels, LayoutChoice layouts, Arena arena) {
        this.file = file;
        this.kernels = kernels;
        this.layouts = layouts;
        this.arena = arena;
    }

    /** A piece of work of whichever member comes. */
    private interface Task {
        void run(Scratch scratch);
    }

    /** A member's room for rows between a file's encoding and panels; made when it is first needed. */
    private static final class Scratch {
        private final Arena arena;
        private @Nullable MemorySegment memory;

        Scratch(Arena arena) {
            this.arena = arena;
        }

        MemorySegment rows(long bytes) {
            MemorySegment rows = memory;
            if (rows == null || rows.byteSize() < bytes) {
                rows = arena.allocate(bytes, 64);
                memory = rows;
            }
            return rows.asSlice(0, bytes);
        }
    }

    /** The tasks, by the member that is to take them first. */
    private static final class Deal {
        private final List<List<Task>> tasks = new ArrayList<>();
        private final AtomicIntegerArray next;

        Deal(int members) {
            for (int member = 0; member < members; member++) {
                tasks.add(new ArrayList<>());
            }
            next = new AtomicIntegerArray(members);
        }

        /** @param place how far into its tensor the task lies, from 0 to less than 1 */
        void add(double place, Task task) {
            tasks.get((int) (place * tasks.size())).add(task);
        }

        void run(int member) {
            try (Arena arena = Arena.ofConfined()) {
                Scratch scratch = new Scratch(arena);
                for (int i = 0; i < tasks.size(); i++) {
                    int whose = (member + i) % tasks.size();
                    for (int t; (t = next.getAndIncrement(whose)) < tasks.get(whose).size(); ) {
                        tasks.get(whose).get(t).run(scratch);
                    }
                }
            }
        }
    }

    /**
     * Loads everything.
     *
     * @param matrices of which those with {@code lut} kernels stay where they are; the others get a layout, all a scale
     * @param head is copied when that pays
     * @throws InputException when a matrix holds an invalid code or floats that are not ternary, or its scale is not
     *     finite
     */
    void load(List<FileMatrix> matrices, FileFloats head, ThreadTeam team) {
        long bytes = 0;
        for (FileMatrix m : matrices) {
            m.layout = layouts.of(m.cols, m.storedAsRows());
            bytes += isCopied(m) ? aligned(m.layout.bytes(m.rows, m.cols)) : 0;
        }
        bytes += layouts.copies() ? aligned(head.data.byteSize()) : 0;
        MemorySegment memory = allocate(bytes);
        Deal deal = new Deal(team.size());
        long at = 0;
        for (FileMatrix m : matrices) {
            if (isCopied(m)) {
                long size = m.layout.bytes(m.rows, m.cols);
                m.codes = memory.asSlice(at, size);
                at += aligned(size);
            }
            plan(m, deal);
        }
        if (layouts.copies()) {
            head.values = memory.asSlice(at, head.data.byteSize());
            planCopy(head, deal);
        }
        team.run(deal::run);
    }

    /** Without native kernels no native code is called at all. */
    private MemorySegment allocate(long bytes) {
        if (bytes == 0) {
            return MemorySegment.NULL;
        }
        return kernels.tier() == Tier.JAVA ? arena.allocate(bytes, LINE) : HugePages.allocate(arena, bytes);
    }

    private static long aligned(long bytes) {
        return Math.ceilDiv(bytes, LINE) * LINE;
    }

    private boolean isCopied(FileMatrix m) {
        return m.lut == null && !layouts.inPlace(m.cols, m.storedAsRows());
    }

    private void plan(FileMatrix m, Deal deal) {
        if (m.lut != null) {
            deal.add(0, scratch -> {
                m.storedScale(file);
                m.codec.check(m.data, m.rows, m.cols, file.where(m.tensor));
                finish(m);
            });
            return;
        }
        TernaryWeights panels = m.layout == TernaryLayout.ROWS
                ? null
                : TernaryWeights.of(Arena.ofAuto(), m.codes, m.rows, m.cols, 1, m.layout);
        int unit = m.layout.panelRows();
        int rows = Math.max(1, TASK_WEIGHTS / m.cols / unit) * unit;
        AtomicInteger left = new AtomicInteger((m.rows + rows - 1) / rows);
        for (int first = 0; first < m.rows; first += rows) {
            int from = first;
            int to = (int) Math.min(m.rows, (long) first + rows);
            deal.add((double) first / m.rows, scratch -> {
                pack(m, panels, from, to, scratch);
                if (m.codes != m.data) {
                    long rowBytes = m.storedRowBytes();
                    file.release(m.tensor, from * rowBytes, (to - from) * rowBytes);
                }
                if (left.decrementAndGet() == 0) {
                    finish(m);
                }
            });
        }
    }

    /** Rows [from, to) into the layout, from 128 columns a group of the file's, or through the codec. */
    private void pack(FileMatrix m, @Nullable TernaryWeights panels, int from, int to, Scratch scratch) {
        float scale = m.storedScale(file); // the first thing that can be wrong with a matrix
        long rowBytes = TernaryWeights.rowBytes(m.cols);
        MemorySegment rows;
        if (m.storedAsRows()) {
            rows = m.data.asSlice(from * rowBytes, (to - from) * rowBytes);
            requireValid(m, rows, from * rowBytes);
        } else {
            rows = panels != null
                    ? scratch.rows((to - from) * rowBytes)
                    : m.codes.asSlice(from * rowBytes, (to - from) * rowBytes);
            decode(m, scale, from, to, rows);
        }
        if (panels != null) {
            kernels.ternaryPack(rows, from, to, panels);
        } else if (m.storedAsRows() && m.codes != m.data) {
            m.codes.asSlice(from * rowBytes).copyFrom(rows);
        }
    }

    /**
     * By a kernel where one is faster than the codec, which says of rows that the kernel refuses what is wrong with
     * them.
     */
    private void decode(FileMatrix m, float scale, int from, int to, MemorySegment rows) {
        int decoded = from;
        Optional<TernaryEncoding> encoding = m.codec.encoding();
        if (encoding.isPresent() && kernels.tier() != Tier.JAVA && kernels.tier() != Tier.SCALAR) {
            MemorySegment in = m.data.asSlice(from * encoding.get().rowBytes(m.cols));
            int refused = kernels.ternaryDecode(encoding.get(), in, to - from, m.cols, scale, rows);
            decoded = refused < 0 ? to : from + refused;
        }
        if (decoded < to) {
            MemorySegment rest = rows.asSlice((decoded - from) * TernaryWeights.rowBytes(m.cols));
            m.codec.pack(m.data, m.rows, m.cols, decoded, to, rest, file.where(m.tensor));
        }
    }

    private void requireValid(FileMatrix m, MemorySegment codes, long offset) {
        long invalid = kernels.findInvalidCode(codes);
        if (invalid >= 0) {
            throw InputException.at(file.path())
                    .tensor(m.tensor.name())
                    .offset(offset + invalid)
                    .problem("a packed code is 3, which stands for no ternary value")
                    .cure("The file is damaged, or packed in another order than bitnet.cpp's.")
                    .exception();
        }
    }

    private void finish(FileMatrix m) {
        float scale = m.storedScale(file) * m.factor;
        if (!Float.isFinite(scale)) {
            throw InputException.at(file.path())
                    .tensor(m.tensor.name())
                    .problem("its scale times its .scale tensor is " + scale)
                    .exception();
        }
        m.scale = scale;
        if (m.codes != m.data) {
            file.release(m.tensor);
        }
    }

    private void planCopy(FileFloats floats, Deal deal) {
        long size = floats.data.byteSize();
        AtomicInteger left = new AtomicInteger(Math.toIntExact(Math.ceilDiv(size, TASK_BYTES)));
        for (long first = 0; first < size; first += TASK_BYTES) {
            long from = first;
            long bytes = Math.min(TASK_BYTES, size - first);
            deal.add((double) first / size, scratch -> {
                MemorySegment.copy(floats.data, from, floats.values, from, bytes);
                file.release(floats.tensor, from, bytes);
                if (left.decrementAndGet() == 0) {
                    file.release(floats.tensor);
                }
            });
        }
    }
}
