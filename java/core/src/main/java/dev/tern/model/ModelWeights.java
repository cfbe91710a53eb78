package dev.tern.model;

import dev.tern.io.Sha256;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutShape;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.Projection;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a model in the layout the kernels read. Immutable; alive as long as the memory it was made over.
 *
 * @param embedding {@code [vocab][hidden]}
 * @param layers the blocks, first to last
 * @param outputNorm {@code [hidden]} float32
 * @param head {@code [vocab][hidden]}; the embedding itself when the head is tied
 */
public record ModelWeights(
        FloatWeights embedding, List<LayerWeights> layers, MemorySegment outputNorm, FloatWeights head) {

    private static final int SAMPLE = 4096;

    public ModelWeights {
        layers = List.copyOf(layers);
    }

    /** Bytes of all weights, the embedding counted once when it is also the head. */
    public long byteSize() {
        return byteSize(embedding) + (head == embedding ? 0 : byteSize(head)) + outputNorm.byteSize() + blockBytes();
    }

    private long blockBytes() {
        long bytes = 0;
        for (LayerWeights layer : layers) {
            bytes += layer.attnNorm().byteSize() + layer.ffnNorm().byteSize();
            bytes += layer.attnSubNorm() == null ? 0 : layer.attnSubNorm().byteSize();
            bytes += layer.ffnSubNorm() == null ? 0 : layer.ffnSubNorm().byteSize();
            for (Projection w : matrices(layer)) {
                bytes += w.byteSize();
            }
            for (LowRank correction : layer.lowRank().all()) {
                bytes += correction.byteSize();
            }
        }
        return bytes;
    }

    /** What a token takes with these weights. */
    public TokenWork tokenWork(ModelHyperparameters model, FloatType cacheType) {
        long row = embedding.type().bytes(embedding.cols());
        long operations = 0;
        for (Projection w : projections()) {
            operations += 2L * w.rows() * w.cols();
        }
        long spared = 0;
        if (!layers.isEmpty()) { // a head alone is measured without
            LayerWeights last = layers.getLast();
            for (Projection w : List.of(last.attnOutput(), last.gate(), last.up(), last.down())) {
                spared += 2L * w.rows() * w.cols();
            }
        }
        return new TokenWork(
                blockBytes() + outputNorm.byteSize() + byteSize(head) + row,
                cacheType.bytes(2L * model.kvHeads() * model.headDim() * layers.size()),
                operations,
                operations - spared);
    }

    /**
     * SHA-256 that tells this model's states from another's: over the hyperparameters and, of every tensor, its shape,
     * its scale and the first and last 4096 bytes as they lie in memory. Independent of the ternary type of the file when
     * the scales are the same.
     */
    public byte[] fingerprint(ModelHyperparameters model) {
        MessageDigest digest = Sha256.digest();
        digest.update(model.toString().getBytes(StandardCharsets.UTF_8));
        add(digest, embedding);
        add(digest, outputNorm);
        if (head != embedding) {
            add(digest, head);
        }
        for (LayerWeights layer : layers) {
            add(digest, layer.attnNorm());
            add(digest, layer.attnSubNorm());
            add(digest, layer.ffnNorm());
            add(digest, layer.ffnSubNorm());
            for (Projection w : matrices(layer)) {
                digest.update(ByteBuffer.allocate(12)
                        .putInt(w.rows())
                        .putInt(w.cols())
                        .putFloat(w.scale())
                        .flip());
                addCodes(digest, w);
            }
            for (LowRank correction : layer.lowRank().all()) {
                add(digest, correction.u());
                add(digest, correction.vTransposed());
            }
        }
        return digest.digest();
    }

    /** The look-up-table kernels that compute with the matrices, empty when they are multiplied. */
    public Optional<LutKernels> lutKernels() {
        return projections().stream()
                .filter(LutWeights.class::isInstance)
                .map(w -> ((LutWeights) w).kernels())
                .findFirst();
    }

    /** How the matrices lie that are multiplied, empty when none is. */
    public Optional<TernaryLayout> layout() {
        return projections().stream()
                .filter(TernaryWeights.class::isInstance)
                .map(w -> ((TernaryWeights) w).layout())
                .findFirst();
    }

    /** All matrices, layer by layer, in the order q, k, v, output, gate, up, down. */
    List<Projection> projections() {
        return layers.stream().flatMap(layer -> matrices(layer).stream()).toList();
    }

    private static List<Projection> matrices(LayerWeights layer) {
        return List.of(
                layer.q(), layer.k(), layer.v(), layer.attnOutput(), layer.gate(), layer.up(), layer.down());
    }

    private static long byteSize(FloatWeights w) {
        return w.type().bytes((long) w.rows() * w.cols());
    }

    private static void add(MessageDigest digest, FloatWeights w) {
        digest.update((w.type() + " " + w.rows() + " " + w.cols()).getBytes(StandardCharsets.UTF_8));
        add(digest, w.values().asSlice(0, byteSize(w)));
    }

    /** The first and last bytes of the run-time layout, whatever the layout in memory. */
    private static void addCodes(MessageDigest digest, Projection projection) {
        long rowBytes = TernaryWeights.rowBytes(projection.cols());
        switch (projection) {
            case TernaryWeights w when w.layout() == TernaryLayout.ROWS ->
                add(digest, w.codes().asSlice(0, w.rows() * rowBytes));
            case TernaryWeights w ->
                addEnds(digest, w, 1, (begin, end, codes) ->
                        KernelChoice.of(Tier.JAVA).ternaryUnpack(w, begin, end, codes));
            case LutWeights w ->
                addEnds(digest, w, LutShape.ROW_UNIT, (begin, end, codes) -> w.kernels().unpack(w, begin, end, codes));
        }
    }

    /** Puts rows [begin, end) of a matrix into the layout of rows. */
    private interface Unpacking {
        void rows(int begin, int end, MemorySegment codes);
    }

    /** The first and last bytes of what is unpacked, in multiples of {@code unit} rows. */
    private static void addEnds(MessageDigest digest, Projection w, int unit, Unpacking unpacking) {
        long rowBytes = TernaryWeights.rowBytes(w.cols());
        int rows = (int) Math.min(w.rows(), Math.ceilDiv(SAMPLE, rowBytes * unit) * unit);
        int length = (int) Math.min(SAMPLE, w.rows() * rowBytes);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment codes = arena.allocate(rows * rowBytes);
            unpacking.rows(0, rows, codes);
            digest.update(codes.asSlice(0, length).asByteBuffer());
            unpacking.rows(w.rows() - rows, w.rows(), codes);
            digest.update(codes.asSlice(codes.byteSize() - length, length).asByteBuffer());
        }
    }

    private static void add(MessageDigest digest, @Nullable MemorySegment tensor) {
        if (tensor == null) {
            return;
        }
        long length = Math.min(SAMPLE, tensor.byteSize());
        digest.update(tensor.asSlice(0, length).asByteBuffer());
        digest.update(tensor.asSlice(tensor.byteSize() - length, length).asByteBuffer());
    }
}
