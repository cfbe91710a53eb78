package dev.tern.tokenizer;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** The pieces of a checkpoint's tokenizer: of tokenizer.json, or of a tokenizer.model alone. */
final class PieceFiles {
    /**
     * What the file says beside its pieces.
     *
     * @param model makes the model of the pieces, once all are there
     * @param parts that the file itself names
     * @param addsFirst the token that goes in front of a text, if any
     * @param addsLast the token that goes behind, if any
     */
    record Read(
            TextPipeline pipeline,
            Function<VocabularyBuilder, SubwordModel> model,
            Map<SpecialToken, Integer> parts,
            @Nullable Integer addsFirst,
            @Nullable Integer addsLast) {}

    private PieceFiles() {}

    // ---- tokenizer.json

    static Read json(Path file, Path folder, VocabularyBuilder builder) {
        ObjectNode json = JsonFile.read(file);
        TokenizerJson form = TokenizerJson.check(json, file);
        JsonNode vocab = json.path("model").path("vocab");
        if (form.kind() == TokenizerJson.Kind.UNIGRAM) {
            readScored(vocab, file, builder);
        } else {
            readNumbered(vocab, file, builder);
        }
        for (JsonNode token : json.path("added_tokens")) {
            builder.added(token, id(token.path("id"), file, "added_tokens"), file);
        }
        Map<SpecialToken, Integer> parts = new EnumMap<>(SpecialToken.class);
        if (form.kind() != TokenizerJson.Kind.BYTE_PAIRS) {
            typeBytes(builder, form.byteFallback());
            Integer unknown = form.unknown() == null ? null : builder.id(form.unknown());
            if (unknown != null) {
                if (builder.is(unknown, TokenType.CONTROL)) {
                    builder.type(unknown, TokenType.UNKNOWN);
                }
                parts.put(SpecialToken.UNKNOWN, unknown);
            }
        }
        boolean spaced = form.kind() == TokenizerJson.Kind.BYTE_PAIRS;
        List<String> merges = form.kind() == TokenizerJson.Kind.UNIGRAM
                ? List.of()
                : merges(json.path("model").path("merges"), file, spaced);
        return new Read(
                form.pipeline(),
                b -> switch (form.kind()) {
                    case BYTE_PAIRS -> new SubwordModel.BytePairs(merges, form.ignoreMerges());
                    case CHARACTER_PAIRS -> {
                        score(merges, folder, b);
                        yield new SubwordModel.CharacterPairs(
                                Optional.of(merges), b.scores(), form.ignoreMerges(), form.byteFallback(),
                                form.fuseUnknown());
                    }
                    case UNIGRAM -> new SubwordModel.Unigram(b.scores(), form.byteFallback());
                },
                parts,
                form.addsFirst(),
                form.addsLast());
    }

    private static void readNumbered(JsonNode vocab, Path file, VocabularyBuilder builder) {
        if (!(vocab instanceof ObjectNode entries)) {
            throw InputException.at(file).key("model.vocab").expected("an object of tokens and ids").exception();
        }
        for (Map.Entry<String, JsonNode> entry : entries.properties()) {
            int id = id(entry.getValue(), file, "model.vocab");
            builder.piece(entry.getKey(), id, TokenType.NORMAL, VocabularyBuilder.ADDED_SCORE);
        }
    }

    private static void readScored(JsonNode vocab, Path file, VocabularyBuilder builder) {
        int id = 0;
        for (JsonNode entry : vocab) {
            if (!entry.path(0).isString() || !entry.path(1).isNumber()) {
                throw noScores(file, entry);
            }
            builder.piece(entry.get(0).stringValue(), id++, TokenType.NORMAL, entry.get(1).floatValue());
        }
        if (id == 0) {
            throw noScores(file, vocab.getNodeType());
        }
    }

    private static InputException noScores(Path file, Object found) {
        return InputException.at(file).key("model.vocab").expected("a list of [piece, score]").found(found).exception();
    }

    /**
     * "left right", or pairs (tokenizers since 0.20), whose inner spaces byte-level merges write as the byte alphabet
     * does.
     */
    private static List<String> merges(JsonNode merges, Path file, boolean byteLevel) {
        if (!merges.isArray()) {
            throw InputException.at(file)
                    .key("model.merges")
                    .expected("a list")
                    .found(merges.getNodeType())
                    .exception();
        }
        List<String> read = new ArrayList<>(merges.size());
        for (JsonNode merge : merges) {
            if (merge.isString()) {
                read.add(merge.stringValue());
            } else if (merge.size() == 2 && merge.get(0).isString() && merge.get(1).isString()) {
                String left = merge.get(0).stringValue();
                String right = merge.get(1).stringValue();
                read.add(byteLevel ? left.replace(' ', 'Ġ') + ' ' + right.replace(' ', 'Ġ') : left + ' ' + right);
            } else {
                throw InputException.at(file)
                        .key("model.merges")
                        .problem("merge " + read.size() + " is broken")
                        .expected("\"left right\" or [\"left\", \"right\"]")
                        .exception();
            }
        }
        return read;
    }

    private static void typeBytes(VocabularyBuilder builder, boolean byteFallback) {
        for (int b = 0; byteFallback && b < 256; b++) {
            Integer id = builder.id("<0x%02X>".formatted(b));
            if (id != null && builder.is(id, TokenType.NORMAL)) {
                builder.type(id, TokenType.BYTE);
            }
        }
    }

    /**
     * Scores for programs that merge by them: those of tokenizer.model where it has the same pieces, and otherwise the
     * order in which merges first make a piece, which is how Llama 2's scores came about.
     */
    private static void score(List<String> merges, Path folder, VocabularyBuilder builder) {
        Path file = folder.resolve("tokenizer.model");
        if (Files.exists(file)) {
            List<SentencePieceModel.Piece> pieces = SentencePieceModel.read(file).pieces();
            boolean same = pieces.size() <= builder.size();
            for (int id = 0; same && id < pieces.size(); id++) {
                same = pieces.get(id).text().equals(builder.token(id));
            }
            if (same) {
                for (int id = 0; id < pieces.size(); id++) {
                    builder.score(id, pieces.get(id).score());
                }
                return;
            }
        }
        int made = 0;
        Map<Integer, Integer> order = new HashMap<>();
        for (String merge : merges) {
            Integer id = builder.id(merge.replaceFirst(" ", ""));
            if (id != null && order.putIfAbsent(id, made) == null) {
                builder.score(id, -(float) made++);
            }
        }
        for (int id = 0; id < builder.size(); id++) {
            if (builder.is(id, TokenType.NORMAL) && !order.containsKey(id)) {
                builder.score(id, -(float) made++);
            } else if (builder.is(id, TokenType.BYTE)) {
                builder.score(id, 0f);
            }
        }
    }

    static int id(JsonNode node, Path file, String key) {
        if (!node.canConvertToInt()) {
            throw InputException.at(file).key(key).expected("an integer id").found(node).exception();
        }
        return node.intValue();
    }

    // ---- tokenizer.model

    static Read model(Path file, ObjectNode config, VocabularyBuilder builder) {
        SentencePieceModel model = SentencePieceModel.read(file);
        for (int id = 0; id < model.pieces().size(); id++) {
            SentencePieceModel.Piece piece = model.pieces().get(id);
            builder.piece(piece.text(), id, piece.type(), piece.score());
        }
        Map<SpecialToken, Integer> parts = new EnumMap<>(SpecialToken.class);
        Map.of(SpecialToken.BOS, model.bos(), SpecialToken.EOS, model.eos(), SpecialToken.UNKNOWN, model.unknown(),
                        SpecialToken.PADDING, model.padding())
                .forEach((part, id) -> {
                    if (id >= 0 && id < model.pieces().size() && model.pieces().get(id).type().special()) {
                        parts.put(part, id);
                    }
                });
        boolean llama = !model.unigram();
        return new Read(
                model.pipeline(config.path("legacy").asBoolean(true)),
                b -> model.unigram()
                        ? new SubwordModel.Unigram(b.scores(), model.byteFallback())
                        : new SubwordModel.CharacterPairs(Optional.empty(), b.scores(), false, model.byteFallback(),
                                true),
                parts,
                llama ? parts.get(SpecialToken.BOS) : null,
                null);
    }
}
