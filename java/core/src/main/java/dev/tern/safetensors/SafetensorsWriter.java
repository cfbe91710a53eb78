package dev.tern.safetensors;

import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a safetensors file of any size in one pass: all tensors are declared first, then their bytes follow in that
 * order, in pieces of any length. The file appears only at {@link #commit}. Not thread-safe.
 */
public final class SafetensorsWriter implements AutoCloseable {
    /** The header is padded with spaces so that the data starts at a multiple of this. */
    private static final int ALIGNMENT = 8;

    /**
     * A tensor to be written.
     *
     * @param name its name, unique in the file
     * @param type its element type
     * @param shape its dimensions, slowest first
     */
    public record Declaration(String name, SafetensorsType type, List<Long> shape) {

        public Declaration {
            shape = List.copyOf(shape);
            if (name.equals("__metadata__") || shape.stream().anyMatch(dimension -> dimension < 0)) {
                throw new IllegalArgumentException(name + " " + shape);
            }
        }

        /** Bytes of its data. */
        public long byteSize() {
            long bits = shape.stream().reduce((long) type.bits(), Math::multiplyExact);
            if (bits % 8 != 0) {
                throw new IllegalArgumentException(name + ": " + type + " " + shape + " does not fill whole bytes");
            }
            return bits / 8;
        }
    }

    private final AtomicFile file;
    private final List<Declaration> tensors;
    private int current;
    private long written;

    private SafetensorsWriter(AtomicFile file, List<Declaration> tensors) {
        this.file = file;
        this.tensors = tensors;
    }

    /**
     * Opens a file and writes its header.
     *
     * @param metadata strings for {@code __metadata__}; transformers wants {@code format=pt}
     * @throws InputException when the target exists and {@code overwrite} is false, or cannot be written
     */
    public static SafetensorsWriter create(
            Path target, boolean overwrite, Map<String, String> metadata, List<Declaration> tensors) {
        byte[] header = header(metadata, tensors);
        AtomicFile file = AtomicFile.create(target, overwrite);
        try {
            long data = tensors.stream().mapToLong(Declaration::byteSize).reduce(0, Math::addExact);
            file.expect(Math.addExact(data, header.length));
            file.write(MemorySegment.ofArray(header));
            return new SafetensorsWriter(file, List.copyOf(tensors));
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    private static byte[] header(Map<String, String> metadata, List<Declaration> tensors) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode node = root.putObject("__metadata__");
            metadata.forEach(node::put);
        }
        Set<String> names = new HashSet<>();
        long offset = 0;
        for (Declaration tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException(tensor.name() + " is declared twice");
            }
            ObjectNode node = root.putObject(tensor.name());
            node.put("dtype", tensor.type().name());
            ArrayNode shape = node.putArray("shape");
            tensor.shape().forEach(shape::add);
            long end = Math.addExact(offset, tensor.byteSize());
            node.putArray("data_offsets").add(offset).add(end);
            offset = end;
        }
        byte[] json = root.toString().getBytes(StandardCharsets.UTF_8);
        int length = Math.ceilDiv(json.length, ALIGNMENT) * ALIGNMENT;
        if (length > SafetensorsFile.MAX_HEADER) {
            throw new IllegalArgumentException("a header of " + length + " bytes, which no reader accepts");
        }
        byte[] header = new byte[Long.BYTES + length];
        Arrays.fill(header, (byte) ' ');
        MemorySegment.ofArray(header).set(SafetensorsFile.LENGTH, 0, length);
        System.arraycopy(json, 0, header, Long.BYTES, json.length);
        return header;
    }

    /**
     * Appends bytes to a tensor: the one begun, or the next when all before it are complete.
     *
     * @throws IllegalStateException when it is not that tensor's turn or the bytes exceed it
     * @throws InputException when the disk is full or fails
     */
    public void write(String name, MemorySegment bytes) {
        Declaration tensor = turn();
        if (tensor == null || !tensor.name().equals(name)) {
            throw new IllegalStateException(name + " in the turn of " + (tensor == null ? "nothing" : tensor.name()));
        }
        if (bytes.byteSize() > tensor.byteSize() - written) {
            throw new IllegalStateException(name + " gets more than its " + tensor.byteSize() + " bytes");
        }
        file.write(bytes);
        written += bytes.byteSize();
    }

    /** The tensor whose bytes come next, passing over those that are complete (or empty). */
    private @Nullable Declaration turn() {
        while (current < tensors.size() && written == tensors.get(current).byteSize()) {
            current++;
            written = 0;
        }
        return current < tensors.size() ? tensors.get(current) : null;
    }

    /**
     * Makes the file appear.
     *
     * @throws IllegalStateException when bytes of a tensor are missing
     */
    public void commit() {
        Declaration tensor = turn();
        if (tensor != null) {
            throw new IllegalStateException(tensor.name() + " has " + written + " of " + tensor.byteSize() + " bytes");
        }
        file.commit();
    }

    /** Removes what was written unless it was committed. */
    @Override
    public void close() {
        file.close();
    }
}
