package dev.tern.gguf;

import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the header of a GGUF file front to back, little-endian. Every length is checked against what is left of the file
 * before anything is allocated for it.
 */
final class GgufCursor {
    /** Headers hold a vocabulary, some ten megabytes; more than this is a broken or hostile file. */
    static final long MAX_HEADER = 1L << 28;

    /** Strings or arrays in an array: four times the merges of the largest tokenizers. */
    private static final long MAX_OBJECTS = 1L << 22;

    /** ggml reads flat arrays only; this is generous. */
    private static final int MAX_NESTING = 8;

    /** Bytes of arrays of strings that are copied at once, and how many of them must be left for the next string. */
    private static final int WINDOW = 1 << 16;

    private static final int SHORT_STRING = 1 << 10;

    /** Stands in decoded text for what is malformed, or for itself. */
    private static final char REPLACEMENT = '\uFFFD';

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final MemorySegment file;
    private long position;

    GgufCursor(Path path, MemorySegment file) {
        this.path = path;
        this.file = file;
    }

    long position() {
        return position;
    }

    int u8(String what) {
        return file.get(ValueLayout.JAVA_BYTE, take(1, what)) & 0xFF;
    }

    int i32(String what) {
        return file.get(INT, take(4, what));
    }

    long i64(String what) {
        return file.get(LONG, take(8, what));
    }

    /**
     * A count of things that take at least {@code each} bytes: never more than the file can hold, nor than {@code max}, as
     * objects take more memory than bytes in a file, which may be sparse.
     */
    long count(long each, long max, String what) {
        long at = position;
        long count = count(each, what);
        if (count > max) {
            throw InputException.at(path)
                    .offset(at)
                    .problem(what + " is more than any model has")
                    .expected("at most " + max)
                    .found(count)
                    .exception();
        }
        return count;
    }

    /** A count of things that take at least {@code each} bytes: never more than the file can hold. */
    long count(long each, String what) {
        long at = position;
        long count = i64(what);
        if (count < 0 || count > (file.byteSize() - position) / each) {
            throw InputException.at(path)
                    .offset(at)
                    .problem(what + " is impossible: the file has " + (file.byteSize() - position) + " bytes left")
                    .expected("at most " + (file.byteSize() - position) / each)
                    .found(Long.toUnsignedString(count))
                    .cure("The file is damaged or truncated; get it again.")
                    .exception();
        }
        return count;
    }

    String string(String what) {
        long length = count(1, "the length of " + what);
        if (length > MAX_HEADER) {
            throw tooLong(what);
        }
        long at = take(length, what);
        byte[] bytes = new byte[(int) length];
        MemorySegment.copy(file, ValueLayout.JAVA_BYTE, at, bytes, 0, bytes.length);
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (text.indexOf(REPLACEMENT) < 0) {
            return text;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw InputException.at(path).offset(at).problem(what + " is not valid UTF-8").exception(e);
        }
    }

    GgufValueType valueType(String what) {
        long at = position;
        int id = i32("the type of " + what);
        for (GgufValueType type : GgufValueType.values()) {
            if (type.id() == id) {
                return type;
            }
        }
        throw InputException.at(path)
                .offset(at)
                .problem("unknown value type of " + what)
                .expected("0 to 12")
                .found(Integer.toUnsignedString(id))
                .exception();
    }

    /** The value that follows a type, for the key {@code what}. */
    GgufValue value(GgufValueType type, String what) {
        return value(type, what, 0);
    }

    private GgufValue value(GgufValueType type, String what, int depth) {
        if (type == GgufValueType.ARRAY) {
            return array(what, depth + 1);
        }
        Object value = switch (type) {
            case UINT8, INT8 -> (byte) u8(what);
            case UINT16, INT16 -> file.get(SHORT, take(2, what));
            case UINT32, INT32 -> i32(what);
            case UINT64, INT64 -> i64(what);
            case FLOAT32 -> file.get(FLOAT, take(4, what));
            case FLOAT64 -> file.get(DOUBLE, take(8, what));
            case BOOL -> bool(what);
            case STRING -> string(what);
            case ARRAY -> throw new AssertionError();
        };
        return new GgufValue(type, type, value);
    }

    private GgufValue array(String what, int depth) {
        if (depth > MAX_NESTING) {
            throw InputException.at(path)
                    .offset(position)
                    .problem(what + " nests arrays more than " + MAX_NESTING + " deep")
                    .exception();
        }
        GgufValueType element = valueType("the elements of " + what);
        int each = switch (element) {
            case STRING -> 8;
            case ARRAY -> 12;
            default -> element.bytes();
        };
        boolean objects = element == GgufValueType.STRING || element == GgufValueType.ARRAY;
        long count = count(each, objects ? MAX_OBJECTS : MAX_HEADER / each, "the number of elements of " + what);
        int n = (int) count;
        Object values = switch (element) {
            case STRING -> strings(n, what);
            case ARRAY -> arrays(n, what, depth);
            case BOOL -> bools(n, what);
            case UINT8, INT8 -> slice(n, what).toArray(ValueLayout.JAVA_BYTE);
            case UINT16, INT16 -> slice(2L * n, what).toArray(SHORT);
            case UINT32, INT32 -> slice(4L * n, what).toArray(INT);
            case UINT64, INT64 -> slice(8L * n, what).toArray(LONG);
            case FLOAT32 -> slice(4L * n, what).toArray(FLOAT);
            case FLOAT64 -> slice(8L * n, what).toArray(DOUBLE);
        };
        return new GgufValue(GgufValueType.ARRAY, element, values);
    }

    /** Vocabularies have hundreds of thousands: they stay bytes, and are taken from a copy, not one by one. */
    private List<String> strings(int n, String what) {
        GgufStrings.Builder strings = new GgufStrings.Builder(n);
        Window window = new Window((int) Math.min(WINDOW, file.byteSize() - position));
        for (int i = 0; i < n; i++) {
            string(window, strings, what);
        }
        return strings.build();
    }

    /** A part of the file that has been copied: {@code filled} bytes from {@code start}. */
    private static final class Window {
        final byte[] bytes;
        long start;
        int filled;

        Window(int size) {
            bytes = new byte[size];
        }
    }

    private void string(Window window, GgufStrings.Builder strings, String what) {
        int at = (int) (position - window.start);
        if (window.filled - at < SHORT_STRING) {
            window.start = position;
            at = 0;
            window.filled = (int) Math.min(window.bytes.length, file.byteSize() - position);
            MemorySegment.copy(file, ValueLayout.JAVA_BYTE, position, window.bytes, 0, window.filled);
        }
        int room = window.filled - at - Long.BYTES;
        long length = room < 0 ? -1 : littleEndian(window.bytes, at);
        if (length >= 0
                && length <= room
                && position + Long.BYTES + length <= MAX_HEADER
                && isUtf8(window.bytes, at + Long.BYTES, (int) length)) {
            position += Long.BYTES + length;
            strings.add(window.bytes, at + Long.BYTES, (int) length);
        } else {
            byte[] text = string(what).getBytes(StandardCharsets.UTF_8); // long, or an error to be told
            strings.add(text, 0, text.length);
            window.start = position;
            window.filled = 0;
        }
    }

    /** Letters of most scripts are told at a glance, the rest is left to Java's decoder. */
    private static boolean isUtf8(byte[] bytes, int from, int length) {
        int to = from + length;
        for (int at = from; at < to; ) {
            int lead = bytes[at];
            if (lead >= 0) {
                at++;
            } else if (lead >= (byte) 0xC2 && lead <= (byte) 0xDF && at + 1 < to && bytes[at + 1] < (byte) 0xC0) {
                at += 2;
            } else {
                // What is malformed becomes U+FFFD; so does U+FFFD itself, and then string(…) looks once more.
                return new String(bytes, at, to - at, StandardCharsets.UTF_8).indexOf(REPLACEMENT) < 0;
            }
        }
        return true;
    }

    private static long littleEndian(byte[] bytes, int at) {
        long value = 0;
        for (int i = Long.BYTES - 1; i >= 0; i--) {
            value = value << 8 | bytes[at + i] & 0xFF;
        }
        return value;
    }

    private List<GgufValue> arrays(int n, String what, int depth) {
        List<GgufValue> values = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            values.add(array(what, depth + 1));
        }
        return List.copyOf(values);
    }

    private boolean[] bools(int n, String what) {
        boolean[] values = new boolean[n];
        for (int i = 0; i < n; i++) {
            values[i] = bool(what);
        }
        return values;
    }

    private boolean bool(String what) {
        int value = u8(what);
        if (value > 1) {
            throw InputException.at(path)
                    .offset(position - 1)
                    .problem(what + " is no boolean")
                    .expected("0 or 1")
                    .found(value)
                    .exception();
        }
        return value == 1;
    }

    private MemorySegment slice(long bytes, String what) {
        return file.asSlice(take(bytes, what), bytes);
    }

    /** Moves on by {@code bytes} and returns where they start. */
    private long take(long bytes, String what) {
        long at = position;
        if (bytes > file.byteSize() - at) {
            throw InputException.at(path)
                    .offset(at)
                    .problem("the file ends within " + what)
                    .expected(bytes + " more bytes")
                    .found(file.byteSize() - at)
                    .cure("The file is truncated; get it again.")
                    .exception();
        }
        position = at + bytes;
        if (position > MAX_HEADER) {
            throw tooLong(what);
        }
        return at;
    }

    private InputException tooLong(String what) {
        return InputException.at(path)
                .offset(position)
                .problem(what + " makes the header longer than " + MAX_HEADER + " bytes")
                .cure("The file is damaged; get it again.")
                .exception();
    }
}
