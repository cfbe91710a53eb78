package dev.tern.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** GGUF files written byte by byte, right or wrong, without the code under test. */
final class GgufBytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    static GgufBytes header(int version, long tensors, long pairs) {
        return new GgufBytes().raw("GGUF").i32(version).i64(tensors).i64(pairs);
    }

    GgufBytes raw(String ascii) {
        out.writeBytes(ascii.getBytes(StandardCharsets.US_ASCII));
        return this;
    }

    GgufBytes bytes(int... values) {
        for (int value : values) {
            out.write(value);
        }
        return this;
    }

    GgufBytes zeros(int count) {
        out.writeBytes(new byte[count]);
        return this;
    }

    GgufBytes i32(int value) {
        out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
        return this;
    }

    GgufBytes i64(long value) {
        out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        return this;
    }

    GgufBytes f32(float value) {
        return i32(Float.floatToRawIntBits(value));
    }

    GgufBytes string(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        i64(utf8.length);
        out.writeBytes(utf8);
        return this;
    }

    GgufBytes text(String key, String value) {
        return string(key).i32(8).string(value);
    }

    GgufBytes u32(String key, int value) {
        return string(key).i32(4).i32(value);
    }

    GgufBytes tensor(String name, int type, long offset, long... dims) {
        string(name).i32(dims.length);
        for (long dim : dims) {
            i64(dim);
        }
        return i32(type).i64(offset);
    }

    GgufBytes align(int alignment) {
        while (out.size() % alignment != 0) {
            out.write(0);
        }
        return this;
    }

    byte[] toBytes() {
        return out.toByteArray();
    }

    Path write(Path file) throws IOException {
        return Files.write(file, toBytes());
    }
}
