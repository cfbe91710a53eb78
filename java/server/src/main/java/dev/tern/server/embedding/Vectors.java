package dev.tern.server.embedding;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;

/** Embeddings' lengths, and how they are written. */
final class Vectors {
    private static final double INT16 = 32760; // llama.cpp's scale of the largest element

    private Vectors() {}

    /**
     * Divides by a norm, in double precision.
     *
     * @param norm llama-server's {@code embd_normalize}: -1 none, 0 the largest element becomes 32760, 1 the sum of
     *     magnitudes, 2 the Euclidean norm, p the p-norm
     */
    static float[] normalized(float[] vector, int norm) {
        double length = switch (norm) {
            case -1 -> 1;
            case 0 -> largest(vector) / INT16;
            case 2 -> Math.sqrt(sum(vector, 2, 1));
            case 1 -> sum(vector, 1, 1);
            default -> { // powers of what is far from 1 are beyond a double's range
                double largest = largest(vector);
                yield largest == 0 ? 0 : largest * Math.pow(sum(vector, norm, largest), 1.0 / norm);
            }
        };
        float[] result = new float[vector.length];
        for (int i = 0; i < vector.length; i++) {
            result[i] = length > 0 ? (float) (vector[i] / length) : 0;
        }
        return result;
    }

    private static double largest(float[] vector) {
        double largest = 0;
        for (float x : vector) {
            largest = Math.max(largest, Math.abs(x));
        }
        return largest;
    }

    private static double sum(float[] vector, int power, double unit) {
        double sum = 0;
        for (float x : vector) {
            sum += power == 2 ? (double) x * x : Math.pow(Math.abs(x) / unit, power);
        }
        return sum;
    }

    /** JSON: an array of numbers, or base64 in quotation marks. */
    static String json(float[] vector, boolean base64) {
        if (base64) {
            return '"' + base64(vector) + '"';
        }
        StringBuilder json = new StringBuilder(12 * vector.length).append('[');
        for (float x : vector) {
            json.append(json.length() == 1 ? "" : ",").append(Float.isFinite(x) ? Float.toString(x) : "null");
        }
        return json.append(']').toString();
    }

    /** Little-endian float32 in base64, as OpenAI's libraries ask for it. */
    static String base64(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * vector.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector);
        return Base64.getEncoder().encodeToString(bytes.array());
    }
}
