package dev.tern.gguf;

import java.util.List;

/**
 * One metadata value. {@code value} is, by type: {@code Byte, Byte, Short, Short, Integer, Integer, Float, Boolean,
 * String, <array>, Long, Long, Double}; unsigned types hold their bits. An array holds {@code List<String>} for strings
 * (that of a file {@link GgufStrings}), {@code List<GgufValue>} for nested arrays, {@code boolean[]} for booleans, and
 * otherwise the primitive array of the element ({@code byte[], short[], int[], long[], float[], double[]}).
 *
 * @param type the type, {@link GgufValueType#ARRAY} for arrays
 * @param elementType the element's type for arrays, else the same as {@code type}
 */
public record GgufValue(GgufValueType type, GgufValueType elementType, Object value) {

    /** A STRING. */
    public static GgufValue of(String text) {
        return new GgufValue(GgufValueType.STRING, GgufValueType.STRING, text);
    }

    /** A BOOL. */
    public static GgufValue of(boolean value) {
        return new GgufValue(GgufValueType.BOOL, GgufValueType.BOOL, value);
    }

    /** A FLOAT32. */
    public static GgufValue of(float value) {
        return new GgufValue(GgufValueType.FLOAT32, GgufValueType.FLOAT32, value);
    }

    /** A UINT32; the int holds its 32 bits. */
    public static GgufValue u32(int value) {
        return new GgufValue(GgufValueType.UINT32, GgufValueType.UINT32, value);
    }

    /** An ARRAY of STRING. */
    public static GgufValue strings(List<String> values) {
        return new GgufValue(GgufValueType.ARRAY, GgufValueType.STRING, GgufStrings.copyOf(values));
    }

    /** An ARRAY of INT32; the array is not copied. */
    public static GgufValue int32s(int[] values) {
        return new GgufValue(GgufValueType.ARRAY, GgufValueType.INT32, values);
    }

    /** An ARRAY of UINT32; the array, whose elements hold their 32 bits, is not copied. */
    public static GgufValue uint32s(int[] values) {
        return new GgufValue(GgufValueType.ARRAY, GgufValueType.UINT32, values);
    }

    /** An ARRAY of FLOAT32; the array is not copied. */
    public static GgufValue float32s(float[] values) {
        return new GgufValue(GgufValueType.ARRAY, GgufValueType.FLOAT32, values);
    }
}
