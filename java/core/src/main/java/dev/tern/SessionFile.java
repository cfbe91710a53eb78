package dev.tern;

import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import dev.tern.io.MappedFile;
import dev.tern.kernels.KvLayer;
import dev.tern.model.Engine;
import dev.tern.model.KvCache;
import dev.tern.model.ModelHyperparameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * A saved session. Little-endian: magic {@code "TERNSESS"}, u32 version 1, u32 CRC-32C of all that follows, 32 bytes
 * fingerprint of the model, then u32 each: layers, kv heads, head dimension, cache type, vocabulary size, positions,
 * whether logits follow; u32 ids {@code [positions]}; float32 logits {@code [vocab]} or nothing; then for each layer
 * the keys {@code [kvHeads][positions][headDim]} and the values likewise.
 */
final class SessionFile {
    private static final byte[] MAGIC = {'T', 'E', 'R', 'N', 'S', 'E', 'S', 'S'};
    private static final int VERSION = 1;
    private static final int CHECKED_FROM = 16;
    private static final int NUMBERS_AT = 48;
    private static final int HEADER_BYTES = NUMBERS_AT + 7 * 4;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Engine engine;
    private final ModelHyperparameters model;

    SessionFile(Engine engine) {
        this.engine = engine;
        this.model = engine.model();
    }

    void write(Path target, boolean overwrite, KvCache cache, int[] ids, MemorySegment logits) {
        boolean hasLogits = logits.byteSize() > 0;
        try (AtomicFile file = AtomicFile.create(target, overwrite);
                Arena arena = Arena.ofConfined()) {
            file.expect(size(ids.length, hasLogits));
            MemorySegment header = arena.allocate(HEADER_BYTES);
            MemorySegment.copy(MAGIC, 0, header, ValueLayout.JAVA_BYTE, 0, MAGIC.length);
            header.set(U32, 8, VERSION);
            MemorySegment.copy(engine.weights().fingerprint(model), 0, header, ValueLayout.JAVA_BYTE, 16, 32);
            MemorySegment.copy(numbers(ids.length, hasLogits), 0, header, U32, NUMBERS_AT, 7);
            MemorySegment tokens = arena.allocate(4L * ids.length);
            MemorySegment.copy(ids, 0, tokens, U32, 0, ids.length);

            CRC32C crc = new CRC32C();
            crc.update(header.asSlice(CHECKED_FROM).asByteBuffer());
            crc.update(tokens.asByteBuffer());
            if (hasLogits) {
                crc.update(logits.asByteBuffer());
            }
            eachPart(cache, ids.length, part -> crc.update(part.asByteBuffer()));
            header.set(U32, 12, (int) crc.getValue());

            file.write(header);
            file.write(tokens);
            if (hasLogits) {
                file.write(logits);
            }
            eachPart(cache, ids.length, file::write);
            file.commit();
        }
    }

    /**
     * Fills an empty session.
     *
     * @throws InputException when the file is no saved session, damaged, of another model or cache type, or longer than
     *     the context
     */
    void read(Path source, Session session) {
        try (MappedFile file = MappedFile.open(source)) {
            MemorySegment in = file.segment();
            if (in.byteSize() < HEADER_BYTES
                    || !Arrays.equals(in.asSlice(0, 8).toArray(ValueLayout.JAVA_BYTE), MAGIC)) {
                throw InputException.at(source).problem("not a saved session of Tern").exception();
            }
            if (in.get(U32, 8) != VERSION) {
                throw InputException.at(source)
                        .problem("a saved session of another version")
                        .expected(VERSION)
                        .found(in.get(U32, 8))
                        .exception();
            }
            byte[] fingerprint = in.asSlice(CHECKED_FROM, 32).toArray(ValueLayout.JAVA_BYTE);
            if (!Arrays.equals(fingerprint, engine.weights().fingerprint(model))) {
                throw InputException.at(source)
                        .problem("saved from another model")
                        .cure("Load the model it was saved from.")
                        .exception();
            }
            int[] numbers = new int[7];
            MemorySegment.copy(in, U32, NUMBERS_AT, numbers, 0, 7);
            int positions = numbers[5];
            if (positions < 0 || positions > engine.contextLength()) {
                throw InputException.at(source)
                        .problem("the session is longer than the context")
                        .expected("at most " + engine.contextLength() + " tokens")
                        .found(Integer.toUnsignedString(positions))
                        .cure("Load the model with a longer context.")
                        .exception();
            }
            boolean hasLogits = numbers[6] == 1;
            int[] expected = numbers(positions, hasLogits);
            if (!Arrays.equals(numbers, expected)) {
                throw InputException.at(source)
                        .problem("saved with other settings (layers, kv heads, head dimension, cache type, vocabulary,"
                                + " positions, logits)")
                        .expected(Arrays.toString(expected))
                        .found(Arrays.toString(numbers))
                        .cure("Load the model with the cache type it was saved with.")
                        .exception();
            }
            if (in.byteSize() != size(positions, hasLogits)) {
                throw InputException.at(source)
                        .problem("truncated, or longer than it should be")
                        .expected(size(positions, hasLogits) + " bytes")
                        .found(in.byteSize())
                        .exception();
            }
            requireChecksum(source, in);
            fill(source, in, positions, hasLogits, session);
        }
    }

    private void fill(Path source, MemorySegment in, int positions, boolean hasLogits, Session session) {
        int[] ids = new int[positions];
        MemorySegment.copy(in, U32, HEADER_BYTES, ids, 0, positions);
        for (int id : ids) {
            if (id < 0 || id >= model.vocabSize()) {
                throw InputException.at(source)
                        .problem("holds a token that is not in the vocabulary")
                        .found(Integer.toUnsignedString(id))
                        .exception();
            }
        }
        long at = HEADER_BYTES + 4L * positions;
        long logitsBytes = hasLogits ? 4L * model.vocabSize() : 0;
        MemorySegment logits = in.asSlice(at, logitsBytes);
        long[] next = {at + logitsBytes};
        session.cache().reserve(positions, 0);
        eachPart(session.cache(), positions, part -> {
            part.copyFrom(in.asSlice(next[0], part.byteSize()));
            next[0] += part.byteSize();
        });
        session.adopt(ids, logits);
    }

    private static void requireChecksum(Path source, MemorySegment in) {
        CRC32C crc = new CRC32C();
        for (long at = CHECKED_FROM; at < in.byteSize(); at += 1 << 28) {
            crc.update(in.asSlice(at, Math.min(1 << 28, in.byteSize() - at)).asByteBuffer());
        }
        if ((int) crc.getValue() != in.get(U32, 12)) {
            throw InputException.at(source).problem("damaged: its checksum is wrong").exception();
        }
    }

    private interface PartConsumer {
        void accept(MemorySegment part);
    }

    /** The used part of each head's keys and values, in the file's order. */
    private static void eachPart(KvCache cache, int positions, PartConsumer consumer) {
        for (int i = 0; i < cache.layers(); i++) {
            KvLayer layer = cache.layer(i);
            long position = layer.positionBytes();
            for (MemorySegment half : new MemorySegment[] {layer.keys(), layer.values()}) {
                for (int head = 0; head < layer.kvHeads(); head++) {
                    consumer.accept(half.asSlice(head * layer.capacity() * position, positions * position));
                }
            }
        }
    }

    private int[] numbers(int positions, boolean hasLogits) {
        return new int[] {
            model.layers(),
            model.kvHeads(),
            model.headDim(),
            engine.cacheType().code(),
            model.vocabSize(),
            positions,
            hasLogits ? 1 : 0
        };
    }

    private long size(int positions, boolean hasLogits) {
        long position = 2L * model.layers() * model.kvHeads() * engine.cacheType().bytes(model.headDim());
        return HEADER_BYTES + positions * (4 + position) + (hasLogits ? 4L * model.vocabSize() : 0);
    }
}
