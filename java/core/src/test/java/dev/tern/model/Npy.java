package dev.tern.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads float32 arrays of NumPy's format, version 1, little-endian, C order. */
public final class Npy {
    private Npy() {}

    public static float[] floats(Path file) {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            int headerLength = bytes.getShort(8);
            String header = new String(bytes.array(), 10, headerLength, StandardCharsets.US_ASCII);
            if (!header.contains("'<f4'") || !header.contains("'fortran_order': False")) {
                throw new IllegalStateException(file + ": " + header);
            }
            float[] values = new float[(bytes.capacity() - 10 - headerLength) / 4];
            bytes.position(10 + headerLength).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
            bytes.slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
            return values;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
