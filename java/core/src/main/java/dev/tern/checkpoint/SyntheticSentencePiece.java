package dev.tern.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * tokenizer.model: SentencePiece's {@code ModelProto} (sentencepiece_model.proto) in Protocol Buffers' wire format.
 * Special tokens, the 256 bytes, merged pieces, then characters, each with a lower score than the one before, as in
 * Llama 2.
 */
final class SyntheticSentencePiece {
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int BYTE = 6;
    private static final int BPE = 2;

    private final SyntheticTokenizer tokenizer;

    SyntheticSentencePiece(SyntheticTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** By id, without the mask, which no such file holds. */
    List<String> pieces() {
        List<String> pieces = new ArrayList<>(tokenizer.specials());
        for (int b = 0; b < 256; b++) {
            pieces.add("<0x%02X>".formatted(b));
        }
        tokenizer.merges().forEach(merge -> pieces.add(merge.result()));
        pieces.addAll(tokenizer.letters());
        return pieces;
    }

    byte[] model() {
        Message model = new Message();
        int bytes = tokenizer.specials().size();
        List<String> pieces = pieces();
        for (int id = 0; id < pieces.size(); id++) {
            int type = id == 0 ? UNKNOWN : id < bytes ? CONTROL : id < bytes + 256 ? BYTE : NORMAL;
            float score = type == NORMAL ? -(float) (id - bytes - 256) : 0f; // -0.0 first, as the trainer writes it
            model.message(1, new Message().text(1, pieces.get(id)).number(2, score).integer(3, type));
        }
        int size = pieces.size();
        model.message(2, new Message().integer(3, BPE).integer(4, size).integer(35, 1).integer(40, 0).integer(41, 1)
                .integer(42, 2).integer(43, -1));
        model.message(3, new Message().text(1, "identity").integer(3, 1).integer(4, 0).integer(5, 1));
        return model.bytes();
    }

    /** Fields in the order in which they are added. */
    private static final class Message {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Message integer(int field, long value) {
            varint(field << 3);
            varint(value);
            return this;
        }

        Message number(int field, float value) {
            varint(field << 3 | 5);
            int bits = Float.floatToRawIntBits(value);
            for (int shift = 0; shift < 32; shift += 8) {
                bytes.write(bits >> shift);
            }
            return this;
        }

        Message text(int field, String value) {
            return block(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return block(field, value.bytes());
        }

        byte[] bytes() {
            return bytes.toByteArray();
        }

        private Message block(int field, byte[] value) {
            varint(field << 3 | 2);
            varint(value.length);
            bytes.writeBytes(value);
            return this;
        }

        private void varint(long value) {
            while ((value & ~0x7FL) != 0) {
                bytes.write((int) (value & 0x7F | 0x80));
                value >>>= 7;
            }
            bytes.write((int) value);
        }
    }
}
