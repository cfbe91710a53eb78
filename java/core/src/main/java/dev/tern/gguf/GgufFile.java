package dev.tern.gguf;

import dev.tern.io.InputException;
import dev.tern.io.MappedFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * A GGUF file, versions 2 and 3, little-endian, mapped read-only. The whole header is checked on opening: after that
 * every tensor's data lies within the file, aligned, without overlap. Thread-safe; after {@link #close} the data must
 * not be touched (an attempt throws {@link IllegalStateException}).
 *
 * <p>Format: ggml's {@code docs/gguf.md} and {@code gguf.cpp}.
 */
public final class GgufFile implements AutoCloseable {
    private final MappedFile file;
    private final GgufHeader header;
    private final Map<String, GgufTensor> byName = new HashMap<>();

    private GgufFile(MappedFile file, GgufHeader header) {
        this.file = file;
        this.header = header;
        header.tensors().forEach(tensor -> byName.put(tensor.name(), tensor));
    }

    /**
     * Maps a file and checks its header.
     *
     * @throws InputException when it cannot be read, is no GGUF of version 2 or 3, is truncated, or contradicts itself
     */
    public static GgufFile open(Path path) {
        MappedFile file = MappedFile.open(path);
        try {
            return new GgufFile(file, GgufHeader.read(path, file.segment()));
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    /** The file as it was opened. */
    public Path path() {
        return file.path();
    }

    /** Bytes of the file. */
    public long size() {
        return file.size();
    }

    /** 2 or 3. */
    public int version() {
        return header.version();
    }

    /** Alignment of tensor data, a power of two; 32 unless {@code general.alignment} says otherwise. */
    public int alignment() {
        return header.alignment();
    }

    /** Where tensor data starts in the file. */
    public long dataStart() {
        return header.dataStart();
    }

    /** All key-value pairs in the file's order; unmodifiable. */
    public SequencedMap<String, GgufValue> metadata() {
        return Collections.unmodifiableSequencedMap(header.metadata());
    }

    /** All tensors in the file's order; unmodifiable. */
    public List<GgufTensor> tensors() {
        return header.tensors();
    }

    /** The tensor of this name, or empty. */
    public Optional<GgufTensor> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** The tensor of this name, or an error that says which file lacks it. */
    public GgufTensor require(String name) {
        return find(name).orElseThrow(() -> InputException.at(path()).tensor(name).problem("missing").exception());
    }

    /** A tensor's bytes, read-only, valid until {@link #close}. */
    public MemorySegment data(GgufTensor tensor) {
        return file.segment().asSlice(header.dataStart() + tensor.offset(), tensor.byteSize());
    }

    /** All bytes of the file, read-only, valid until {@link #close}. */
    public MemorySegment bytes() {
        return file.segment();
    }

    /**
     * Copies a tensor's bytes from byte {@code from} on.
     *
     * @param out all of it is filled: a {@code byte[]}'s segment or native memory
     * @throws InputException when the file has become unreadable or shorter since it was opened
     */
    public void read(GgufTensor tensor, long from, MemorySegment out) {
        Objects.checkFromIndexSize(from, out.byteSize(), tensor.byteSize());
        file.read(header.dataStart() + tensor.offset() + from, out);
    }

    /**
     * Tells the system that a tensor's pages are not needed for now, so that reading a large file once does not fill
     * the process's memory. The data stays readable.
     */
    public void release(GgufTensor tensor) {
        if (tensor.byteSize() > 0) {
            data(tensor).unload();
        }
    }

    /** As {@link #release(GgufTensor)} for bytes {@code [from, from + bytes)} of a tensor. */
    public void release(GgufTensor tensor, long from, long bytes) {
        if (bytes > 0) {
            data(tensor).asSlice(from, bytes).unload();
        }
    }

    /** File and tensor, for errors. */
    public String where(GgufTensor tensor) {
        return path() + ": tensor '" + tensor.name() + "'";
    }

    /**
     * A string, or empty without the key.
     *
     * @throws InputException when the value is of another type
     */
    public Optional<String> string(String key) {
        return value(key, String.class, "a string");
    }

    /**
     * A string.
     *
     * @throws InputException when the key is missing or its value of another type
     */
    public String requireString(String key) {
        return string(key).orElseThrow(() -> missing(key));
    }

    /**
     * A boolean, or empty without the key.
     *
     * @throws InputException when the value is of another type
     */
    public Optional<Boolean> bool(String key) {
        return value(key, Boolean.class, "a boolean");
    }

    /** An integer of any width that fits an {@code int}. */
    public Optional<Integer> integer(String key) {
        return Optional.ofNullable(header.metadata().get(key)).map(value -> toInt(key, value));
    }

    /**
     * An integer of any width that fits an int.
     *
     * @throws InputException when the key is missing, its value of another type or out of range
     */
    public int requireInt(String key) {
        return integer(key).orElseThrow(() -> missing(key));
    }

    /** A float of either width. */
    public Optional<Float> real(String key) {
        return Optional.ofNullable(header.metadata().get(key)).map(value -> switch (value.value()) {
            case Float f -> f;
            case Double d -> d.floatValue();
            default -> throw wrongType(key, "a float", value);
        });
    }

    /**
     * A number as float32.
     *
     * @throws InputException when the key is missing or its value of another type
     */
    public float requireReal(String key) {
        return real(key).orElseThrow(() -> missing(key));
    }

    /** An array of strings; unmodifiable. */
    public Optional<List<String>> strings(String key) {
        return array(key, GgufValueType.STRING).map(value -> ((List<?>) value.value()).stream()
                .map(String.class::cast)
                .toList());
    }

    /** An array of 32-bit integers, signed or not. */
    public Optional<int[]> int32s(String key) {
        return array(key, GgufValueType.INT32, GgufValueType.UINT32).map(value -> (int[]) value.value());
    }

    /**
     * A float32 array, which is not copied, or empty without the key.
     *
     * @throws InputException when the value is of another type
     */
    public Optional<float[]> float32s(String key) {
        return array(key, GgufValueType.FLOAT32).map(value -> (float[]) value.value());
    }

    private Optional<GgufValue> array(String key, GgufValueType... elements) {
        GgufValue value = header.metadata().get(key);
        if (value != null
                && (value.type() != GgufValueType.ARRAY || !List.of(elements).contains(value.elementType()))) {
            throw wrongType(key, "an array of " + elements[0], value);
        }
        return Optional.ofNullable(value);
    }

    private <T> Optional<T> value(String key, Class<T> type, String expected) {
        GgufValue value = header.metadata().get(key);
        if (value != null && !type.isInstance(value.value())) {
            throw wrongType(key, expected, value);
        }
        return Optional.ofNullable(value).map(GgufValue::value).map(type::cast);
    }

    private int toInt(String key, GgufValue value) {
        long wide = switch (value.type()) {
            case UINT8 -> Byte.toUnsignedInt((Byte) value.value());
            case UINT16 -> Short.toUnsignedInt((Short) value.value());
            case UINT32 -> Integer.toUnsignedLong((Integer) value.value());
            case INT8, INT16, INT32, INT64, UINT64 -> ((Number) value.value()).longValue();
            default -> throw wrongType(key, "an integer", value);
        };
        if (wide != (int) wide || value.type() == GgufValueType.UINT64 && wide < 0) {
            throw InputException.at(path())
                    .key(key)
                    .expected("an integer below 2^31")
                    .found(value.type() == GgufValueType.UINT64 ? Long.toUnsignedString(wide) : Long.toString(wide))
                    .exception();
        }
        return (int) wide;
    }

    private InputException missing(String key) {
        return InputException.at(path()).key(key).problem("missing").exception();
    }

    private InputException wrongType(String key, String expected, GgufValue value) {
        String found = value.type() == GgufValueType.ARRAY ? "ARRAY of " + value.elementType() : value.type().name();
        return InputException.at(path()).key(key).expected(expected).found(found).exception();
    }

    @Override
    public void close() {
        file.close();
    }
}
