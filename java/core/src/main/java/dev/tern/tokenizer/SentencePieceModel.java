package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A tokenizer.model: SentencePiece's {@code ModelProto} (sentencepiece_model.proto), of which what bears on ids.
 * Immutable.
 *
 * @param pieces by id
 * @param unigram the model's type, else BPE
 * @param byteFallback whether unknown characters become byte pieces
 * @param bos id, −1 for none, as the others
 * @param characterMap of the normalizer; empty for the identity
 * @param addDummyPrefix whether a space goes in front
 * @param removeExtraSpaces whether spaces at the ends go, and of several in a row all but one
 * @param escapeSpaces whether spaces become U+2581
 */
record SentencePieceModel(
        List<Piece> pieces,
        boolean unigram,
        boolean byteFallback,
        int unknown,
        int bos,
        int eos,
        int padding,
        byte[] characterMap,
        boolean addDummyPrefix,
        boolean removeExtraSpaces,
        boolean escapeSpaces) {

    /** @param score the logarithm of a probability, or the negated order of merges */
    record Piece(String text, float score, TokenType type) {}

    private static final int UNIGRAM = 1;
    private static final int BPE = 2;

    /** @throws InputException when the file is broken, or of a kind that this version does not have */
    static SentencePieceModel read(Path file) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read", e).exception(e);
        }
        return new Reader(file, bytes).model();
    }

    /** Protocol Buffers' wire format: fields of a key, {@code number << 3 | type}, and a value. */
    private static final class Reader {
        private final Path file;
        private final byte[] bytes;
        private int at;

        Reader(Path file, byte[] bytes) {
            this.file = file;
            this.bytes = bytes;
        }

        SentencePieceModel model() {
            List<Piece> pieces = new ArrayList<>();
            Fields trainer = new Fields();
            Fields normalizer = new Fields();
            while (at < bytes.length) {
                long key = varint(bytes.length);
                int end = (key & 7) == 2 ? block(bytes.length) : -1;
                switch ((int) (key >>> 3)) {
                    case 1 -> pieces.add(piece(requireBlock(end)));
                    case 2 -> fields(requireBlock(end), trainer);
                    case 3 -> fields(requireBlock(end), normalizer);
                    default -> skip((int) (key & 7), end, bytes.length);
                }
            }
            int type = trainer.number(3, UNIGRAM);
            if (type != UNIGRAM && type != BPE) {
                throw PipelineJson.unsupported(file, "trainer_spec.model_type", "1 (Unigram) or 2 (BPE)", type);
            }
            if (trainer.number(24, 0) != 0) {
                throw PipelineJson.unsupported(file, "trainer_spec.treat_whitespace_as_suffix", "false", "true");
            }
            return new SentencePieceModel(
                    List.copyOf(pieces),
                    type == UNIGRAM,
                    trainer.number(35, 0) != 0,
                    trainer.number(40, 0),
                    trainer.number(41, 1),
                    trainer.number(42, 2),
                    trainer.number(43, -1),
                    normalizer.block(2),
                    normalizer.number(3, 1) != 0,
                    normalizer.number(4, 1) != 0,
                    normalizer.number(5, 1) != 0);
        }

        private Piece piece(int end) {
            String text = "";
            float score = 0;
            int type = TokenType.NORMAL.id();
            while (at < end) {
                long key = varint(end);
                switch ((int) key) {
                    case 1 << 3 | 2 -> {
                        int stop = block(end);
                        text = text(at, stop);
                        at = stop;
                    }
                    case 2 << 3 | 5 -> {
                        score = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getFloat(require(4, end));
                        at += 4;
                    }
                    case 3 << 3 -> type = (int) varint(end);
                    default -> skip((int) (key & 7), (key & 7) == 2 ? block(end) : -1, end);
                }
            }
            if (text.isEmpty() || type < 1 || type > TokenType.values().length || Float.isNaN(score)) {
                throw broken("a piece without text, or of type " + type + ", or of score " + score);
            }
            return new Piece(text, score, TokenType.values()[type - 1]);
        }

        private String text(int from, int to) {
            try {
                return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, from, to - from)).toString();
            } catch (CharacterCodingException e) {
                throw broken("a piece that is not UTF-8");
            }
        }

        /** Whole numbers and blocks of a message; of two with the same number the later counts. */
        private void fields(int end, Fields fields) {
            while (at < end) {
                long key = varint(end);
                int field = (int) (key >>> 3);
                if ((key & 7) == 0) {
                    fields.numbers.put(field, (int) varint(end));
                } else if ((key & 7) == 2) {
                    int stop = block(end);
                    fields.blocks.put(field, java.util.Arrays.copyOfRange(bytes, at, stop));
                    at = stop;
                } else {
                    skip((int) (key & 7), -1, end);
                }
            }
        }

        private void skip(int type, int blockEnd, int end) {
            switch (type) {
                case 0 -> varint(end);
                case 1 -> at = require(8, end) + 8;
                case 2 -> at = blockEnd;
                case 5 -> at = require(4, end) + 4;
                default -> throw broken("a field of wire type " + type);
            }
        }

        /** Reads a length; returns where what has it ends. */
        private int block(int end) {
            long length = varint(end);
            if (length < 0 || length > end - at) {
                throw broken("a field that is longer than what holds it");
            }
            return at + (int) length;
        }

        private int requireBlock(int end) {
            if (end < 0) {
                throw broken("a message that is a number");
            }
            return end;
        }

        private int require(int count, int end) {
            if (count > end - at) {
                throw broken("a field that ends too soon");
            }
            return at;
        }

        private long varint(int end) {
            long value = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                byte b = bytes[require(1, end)];
                at++;
                value |= (long) (b & 0x7F) << shift;
                if (b >= 0) {
                    return value;
                }
            }
            throw broken("a number of more than ten bytes");
        }

        private InputException broken(String what) {
            return InputException.at(file)
                    .offset(at)
                    .problem("not a SentencePiece model: it has " + what)
                    .exception();
        }
    }

    private static final class Fields {
        private final java.util.Map<Integer, Integer> numbers = new java.util.HashMap<>();
        private final java.util.Map<Integer, byte[]> blocks = new java.util.HashMap<>();

        int number(int field, int otherwise) {
            return numbers.getOrDefault(field, otherwise);
        }

        byte[] block(int field) {
            return blocks.getOrDefault(field, new byte[0]);
        }
    }

    /**
     * What SentencePiece does, in the words of tokenizer.json.
     *
     * @param legacy whether the space goes in front of each text between special tokens, as transformers' Llama
     *     tokenizers do unless told otherwise, and not of the first alone
     */
    TextPipeline pipeline(boolean legacy) {
        List<String> normalizers = new ArrayList<>();
        if (characterMap.length > 0) {
            normalizers.add("{\"type\":\"Precompiled\",\"precompiled_charsmap\":\""
                    + java.util.Base64.getEncoder().encodeToString(characterMap) + "\",\"longest_match\":true}");
        }
        if (removeExtraSpaces) {
            normalizers.add("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\A +|[ \u2581]+\\\\z| (?= )\"},"
                    + "\"content\":\"\"}");
        }
        TextPipeline marks = TextPipeline.sentencePiece(addDummyPrefix);
        if (!escapeSpaces) {
            throw PipelineJson.unsupported("tokenizer.model", "normalizer_spec.escape_whitespaces", "true", "false");
        }
        String words = "null";
        if (legacy || !addDummyPrefix) {
            normalizers.add(marks.normalizer());
        } else {
            words = "{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":\"first\",\"split\":false}";
        }
        return new TextPipeline(
                "{\"type\":\"Sequence\",\"normalizers\":[" + String.join(",", normalizers) + "]}", words,
                marks.decoder());
    }
}
