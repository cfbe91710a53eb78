package dev.tern.model;

import dev.tern.kernels.FloatType;
import dev.tern.kernels.KvLayer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Keys and values of one sequence, all layers. Starts small and doubles up to the context length, so a short sequence
 * in a model with a long context costs little. Not thread-safe.
 */
public final class KvCache implements AutoCloseable {
    private static final int FIRST_CAPACITY = 256;

    private final KvLayer[] layers;
    private final Arena[] arenas; // one for each layer: growing needs room for one layer twice, not for all
    private final int contextLength;
    private boolean closed;

    /** An empty cache for up to {@code contextLength} positions; {@code type} is one for caches. */
    public KvCache(ModelHyperparameters model, int contextLength, FloatType type) {
        this(model.layers(), model.kvHeads(), model.headDim(), contextLength, type);
    }

    KvCache(int layerCount, int kvHeads, int headDim, int contextLength, FloatType type) {
        if (contextLength <= 0) {
            throw new IllegalArgumentException("a context of " + contextLength);
        }
        this.contextLength = contextLength;
        this.layers = new KvLayer[layerCount];
        this.arenas = new Arena[layerCount];
        int capacity = Math.min(FIRST_CAPACITY, contextLength);
        for (int i = 0; i < layers.length; i++) {
            arenas[i] = Arena.ofShared();
            try {
                layers[i] = allocate(arenas[i], kvHeads, capacity, headDim, type);
            } catch (Throwable thrown) {
                for (int j = 0; j <= i; j++) {
                    arenas[j].close();
                }
                throw thrown;
            }
        }
    }

    /** One layer's keys and values, valid until the next {@link #reserve}. */
    public KvLayer layer(int index) {
        return layers[index];
    }

    /** Number of layers. */
    public int layers() {
        return layers.length;
    }

    /** Positions that the sequence may have. */
    public int contextLength() {
        return contextLength;
    }

    /** Positions for which there is room now. */
    public int capacity() {
        return layers[layers.length - 1].capacity(); // the last to grow, should growing ever fail half-way
    }

    /** Element type. */
    public FloatType type() {
        return layers[0].type();
    }

    /** Bytes held now. */
    public long byteSize() {
        return 2 * layers[0].keys().byteSize() * layers.length;
    }

    /**
     * Makes room for {@code positions} positions; the first {@code used} keep their content.
     *
     * @throws IllegalArgumentException when that exceeds the context length
     */
    public void reserve(int positions, int used) {
        requireOpen();
        if (positions > contextLength) {
            throw new IllegalArgumentException(positions + " positions in a context of " + contextLength);
        }
        if (positions <= capacity()) {
            return;
        }
        int capacity = (int) Math.min(contextLength, Math.max(positions, 2L * capacity()));
        for (int i = 0; i < layers.length; i++) {
            Arena arena = Arena.ofShared();
            try {
                KvLayer old = layers[i];
                KvLayer grown = allocate(arena, old.kvHeads(), capacity, old.headDim(), old.type());
                copy(old, grown, 0, used);
                layers[i] = grown;
            } catch (Throwable thrown) {
                arena.close();
                throw thrown;
            }
            arenas[i].close();
            arenas[i] = arena;
        }
    }

    /**
     * Makes the first {@code end} positions of this cache equal to those of {@code source}.
     *
     * @param equal of them, the first that are equal already
     */
    public void copyFrom(KvCache source, int equal, int end) {
        reserve(end, equal);
        source.requireOpen();
        for (int i = 0; i < layers.length; i++) {
            copy(source.layers[i], layers[i], equal, end);
        }
    }

    /**
     * Keys and values in an arena that {@link #close} frees; the small descriptor, which is what kernels are called
     * with, in a garbage-collected one, for the reason given in {@link Forward}.
     */
    private static KvLayer allocate(Arena arena, int kvHeads, int capacity, int headDim, FloatType type) {
        Arena descriptors = Arena.ofAuto();
        return KvLayer.allocate(
                (bytes, alignment) -> (bytes <= 256 ? descriptors : arena).allocate(bytes, alignment),
                kvHeads,
                capacity,
                headDim,
                type);
    }

    /** Positions [begin, end). */
    private static void copy(KvLayer from, KvLayer to, int begin, int end) {
        long position = from.positionBytes();
        long bytes = (end - begin) * position;
        for (int head = 0; head < from.kvHeads(); head++) {
            long source = ((long) head * from.capacity() + begin) * position;
            long target = ((long) head * to.capacity() + begin) * position;
            MemorySegment.copy(from.keys(), source, to.keys(), target, bytes);
            MemorySegment.copy(from.values(), source, to.values(), target, bytes);
        }
    }

    void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the session is closed");
        }
    }

    /** Frees the memory. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            for (Arena arena : arenas) {
                arena.close();
            }
        }
    }
}
