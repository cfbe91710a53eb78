package dev.tern.gguf;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;

/**
 * What a GGUF file of version 3 will hold and where: all metadata, and every tensor's type, dimensions and offset. Known
 * before any data, so that files of any size are streamed. Immutable.
 */
public final class GgufLayout {
    private final int alignment;
    private final SequencedMap<String, GgufValue> metadata;
    private final List<GgufTensor> tensors;
    private final byte[] header;
    private final long dataSize;

    private GgufLayout(Builder builder) {
        alignment = builder.alignment;
        metadata = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(builder.metadata));
        tensors = List.copyOf(builder.tensors);
        dataSize = builder.dataSize;
        header = header();
    }

    /** A layout to declare keys and tensors in. */
    public static Builder builder() {
        return new Builder();
    }

    /** Declares metadata and tensors in the order in which they will stand in the file. */
    public static final class Builder {
        private final SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
        private final List<GgufTensor> tensors = new ArrayList<>();
        private final Set<String> names = new HashSet<>();
        private int alignment = GgufHeader.DEFAULT_ALIGNMENT;
        private long dataSize;

        private Builder() {}

        /** Another alignment than 32: a power of two from 8 on, to be set before any tensor. */
        public Builder alignment(int bytes) {
            if (Integer.bitCount(bytes) != 1 || bytes < 8 || !tensors.isEmpty()) {
                throw new IllegalArgumentException("alignment " + bytes + " after " + tensors.size() + " tensors");
            }
            alignment = bytes;
            return metadata(GgufHeader.ALIGNMENT_KEY, GgufValue.u32(bytes));
        }

        /**
         * Adds a key-value pair.
         *
         * @throws IllegalArgumentException when the key is there already
         */
        public Builder metadata(String key, GgufValue value) {
            if (metadata.putIfAbsent(key, value) != null) {
                throw new IllegalArgumentException("key '" + key + "' twice");
            }
            return this;
        }

        /**
         * Adds a tensor.
         *
         * @param dims {@code ne[0]} (the elements of a row) first
         * @throws IllegalArgumentException when the name is there already or the type cannot hold rows of {@code dims[0]}
         */
        public Builder tensor(String name, GgmlType type, long... dims) {
            if (!names.add(name) || dims.length < 1 || dims.length > 4) {
                throw new IllegalArgumentException("tensor '" + name + "' twice, or " + dims.length + " dimensions");
            }
            long rows = 1;
            for (int d = 0; d < dims.length; d++) {
                if (dims[d] <= 0) {
                    throw new IllegalArgumentException("tensor '" + name + "': dimension " + dims[d]);
                }
                rows = d == 0 ? 1 : Math.multiplyExact(rows, dims[d]);
            }
            GgufTensor tensor = new GgufTensor(name, type, dims.clone(), dataSize, type.bytes(dims[0], rows));
            tensors.add(tensor);
            dataSize = align(Math.addExact(dataSize, tensor.byteSize()), alignment);
            return this;
        }

        public GgufLayout build() {
            return new GgufLayout(this);
        }
    }

    /** Keys and values in file order. */
    public SequencedMap<String, GgufValue> metadata() {
        return metadata;
    }

    /** Tensors in file order, with their offsets. */
    public List<GgufTensor> tensors() {
        return tensors;
    }

    /** Where tensor data starts: the header's bytes, padded. */
    public long dataStart() {
        return align(header.length, alignment);
    }

    /** Bytes of the whole file; the last tensor is padded too. */
    public long fileSize() {
        return dataStart() + dataSize;
    }

    int alignment() {
        return alignment;
    }

    /** Magic, version, counts, metadata and tensor descriptions, padded to {@link #dataStart}. */
    MemorySegment headerBytes() {
        byte[] padded = new byte[Math.toIntExact(dataStart())];
        System.arraycopy(header, 0, padded, 0, header.length);
        return MemorySegment.ofArray(padded);
    }

    static long align(long size, int alignment) {
        return Math.addExact(size, alignment - 1L) & -alignment;
    }

    private byte[] header() {
        Bytes out = new Bytes();
        out.i32(GgufHeader.MAGIC);
        out.i32(3);
        out.i64(tensors.size());
        out.i64(metadata.size());
        metadata.forEach((key, value) -> {
            out.string(key);
            out.i32(value.type().id());
            out.value(value);
        });
        for (GgufTensor tensor : tensors) {
            out.string(tensor.name());
            out.i32(tensor.dims().length);
            for (long dim : tensor.dims()) {
                out.i64(dim);
            }
            out.i32(tensor.type().id());
            out.i64(tensor.offset());
        }
        return out.toByteArray();
    }

    /** Little-endian bytes of GGUF's values. */
    private static final class Bytes extends ByteArrayOutputStream {
        private final ByteBuffer scratch = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);

        void i16(short value) {
            write(scratch.putShort(0, value).array(), 0, 2);
        }

        void i32(int value) {
            write(scratch.putInt(0, value).array(), 0, 4);
        }

        void i64(long value) {
            write(scratch.putLong(0, value).array(), 0, 8);
        }

        void string(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            i64(utf8.length);
            write(utf8, 0, utf8.length);
        }

        void value(GgufValue value) {
            switch (value.type()) {
                case UINT8, INT8 -> write((Byte) value.value());
                case UINT16, INT16 -> i16((Short) value.value());
                case UINT32, INT32 -> i32((Integer) value.value());
                case UINT64, INT64 -> i64((Long) value.value());
                case FLOAT32 -> i32(Float.floatToRawIntBits((Float) value.value()));
                case FLOAT64 -> i64(Double.doubleToRawLongBits((Double) value.value()));
                case BOOL -> write((Boolean) value.value() ? 1 : 0);
                case STRING -> string((String) value.value());
                case ARRAY -> array(value);
            }
        }

        private void array(GgufValue array) {
            i32(array.elementType().id());
            switch (array.value()) {
                case List<?> values -> {
                    i64(values.size());
                    for (Object element : values) {
                        if (element instanceof GgufValue nested) {
                            array(nested);
                        } else {
                            string((String) element);
                        }
                    }
                }
                case boolean[] values -> {
                    i64(values.length);
                    for (boolean element : values) {
                        write(element ? 1 : 0);
                    }
                }
                case byte[] values -> {
                    i64(values.length);
                    write(values, 0, values.length);
                }
                case short[] values -> {
                    i64(values.length);
                    for (short element : values) {
                        i16(element);
                    }
                }
                case int[] values -> {
                    i64(values.length);
                    for (int element : values) {
                        i32(element);
                    }
                }
                case long[] values -> {
                    i64(values.length);
                    for (long element : values) {
                        i64(element);
                    }
                }
                case float[] values -> {
                    i64(values.length);
                    for (float element : values) {
                        i32(Float.floatToRawIntBits(element));
                    }
                }
                case double[] values -> {
                    i64(values.length);
                    for (double element : values) {
                        i64(Double.doubleToRawLongBits(element));
                    }
                }
                default -> throw new IllegalArgumentException("array of " + array.value().getClass());
            }
        }
    }
}
