package dev.tern.checkpoint;

import dev.tern.checkpoint.SyntheticTokenizer.Kind;
import dev.tern.checkpoint.SyntheticTokenizer.Merge;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The files of a {@link SyntheticTokenizer}, as Hugging Face's libraries and SentencePiece write them. */
final class SyntheticTokenizerFiles {
    private static final String LLAMA3_WORDS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private final SyntheticTokenizer tokenizer;
    private final Kind kind;

    SyntheticTokenizerFiles(SyntheticTokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.kind = tokenizer.kind();
    }

    SequencedMap<String, byte[]> all(int contextLength) {
        SequencedMap<String, byte[]> files = new LinkedHashMap<>();
        if (kind != Kind.SENTENCE_PIECE_MODEL) {
            files.put("tokenizer.json", tokenizerJson());
        }
        if (!kind.byteLevel()) {
            files.put("tokenizer.model", new SyntheticSentencePiece(tokenizer).model());
            tokenizer.maskId().ifPresent(id ->
                    files.put("added_tokens.json", bytes(object().put(SyntheticTokenizer.MASK, id))));
        }
        files.put("tokenizer_config.json", bytes(tokenizerConfig(contextLength)));
        ObjectNode special = object().put("bos_token", tokenizer.bosToken()).put("eos_token", tokenizer.eosToken());
        if (!kind.byteLevel()) {
            special.put("unk_token", tokenizer.specials().getFirst());
        }
        if (tokenizer.maskId().isPresent()) {
            special.putArray("additional_special_tokens").add(SyntheticTokenizer.MASK);
        }
        files.put("special_tokens_map.json", bytes(special));
        return files;
    }

    /** tokenizer.json of Hugging Face's tokenizers; written as a stream, for a vocabulary can be large. */
    private byte[] tokenizerJson() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(48 * tokenizer.size());
        try (JsonGenerator json = JsonMapper.shared().createGenerator(bytes)) {
            json.writeStartObject();
            json.writeStringProperty("version", "1.0");
            json.writeNullProperty("truncation");
            json.writeNullProperty("padding");
            json.writeArrayPropertyStart("added_tokens");
            for (Map.Entry<Integer, String> added : addedTokens().entrySet()) {
                json.writeTree(added(added.getKey(), added.getValue()));
            }
            json.writeEndArray();
            write(json, "normalizer", normalizer());
            write(json, "pre_tokenizer", preTokenizer());
            write(json, "post_processor", tokenizer.addsBos() ? bosTemplate() : byteLevel(true, true));
            write(json, "decoder", decoder());
            writeModel(json);
            json.writeEndObject();
        }
        return bytes.toByteArray();
    }

    private static void write(JsonGenerator json, String name, JsonNode value) {
        json.writeName(name);
        json.writeTree(value);
    }

    private SequencedMap<Integer, String> addedTokens() {
        SequencedMap<Integer, String> added = new LinkedHashMap<>();
        tokenizer.specials().forEach(token -> added.put(tokenizer.firstSpecial() + added.size(), token));
        tokenizer.maskId().ifPresent(id -> added.put(id, SyntheticTokenizer.MASK));
        return added;
    }

    private void writeModel(JsonGenerator json) {
        json.writeObjectPropertyStart("model");
        json.writeStringProperty("type", "BPE");
        json.writeNullProperty("dropout");
        json.writeName("unk_token");
        json.writePOJO(kind.byteLevel() ? null : tokenizer.specials().getFirst());
        json.writeNullProperty("continuing_subword_prefix");
        json.writeNullProperty("end_of_word_suffix");
        json.writeBooleanProperty("fuse_unk", !kind.byteLevel());
        json.writeBooleanProperty("byte_fallback", !kind.byteLevel());
        json.writeBooleanProperty(
                "ignore_merges", kind == Kind.LLAMA3 || kind == Kind.FALCON3 || kind == Kind.FALCON_E);
        json.writeObjectPropertyStart("vocab");
        int id = 0;
        for (String piece : modelPieces()) {
            json.writeNumberProperty(piece, id++);
        }
        json.writeEndObject();
        json.writeArrayPropertyStart("merges");
        for (Merge merge : tokenizer.merges()) {
            json.writeStartArray();
            json.writeString(merge.left());
            json.writeString(merge.right());
            json.writeEndArray();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** By id, from 0. */
    private List<String> modelPieces() {
        if (!kind.byteLevel()) {
            return new SyntheticSentencePiece(tokenizer).pieces();
        }
        List<String> pieces = new java.util.ArrayList<>(tokenizer.letters());
        tokenizer.merges().forEach(merge -> pieces.add(merge.result()));
        return pieces;
    }

    private JsonNode normalizer() {
        if (kind == Kind.QWEN2) {
            return object().put("type", "NFC");
        }
        if (kind.byteLevel()) {
            return JsonMapper.shared().nullNode();
        }
        ObjectNode sequence = object().put("type", "Sequence");
        ArrayNode parts = sequence.putArray("normalizers");
        parts.addObject().put("type", "Prepend").put("prepend", "\u2581");
        parts.add(replace(" ", "\u2581"));
        return sequence;
    }

    private JsonNode preTokenizer() {
        if (!kind.byteLevel()) {
            return JsonMapper.shared().nullNode();
        }
        if (kind == Kind.GPT2) {
            return byteLevel(false, true);
        }
        ObjectNode sequence = object().put("type", "Sequence");
        ArrayNode parts = sequence.putArray("pretokenizers");
        if (kind == Kind.SMOLLM) {
            parts.addObject().put("type", "Digits").put("individual_digits", true);
        } else {
            ObjectNode split = parts.addObject().put("type", "Split");
            String words = kind == Kind.QWEN2 ? LLAMA3_WORDS.replace("\\p{N}{1,3}", "\\p{N}") : LLAMA3_WORDS;
            split.putObject("pattern").put("Regex", words);
            split.put("behavior", "Isolated").put("invert", false);
        }
        parts.add(byteLevel(false, kind == Kind.SMOLLM));
        return sequence;
    }

    private JsonNode decoder() {
        if (kind.byteLevel()) {
            return byteLevel(true, true);
        }
        ObjectNode sequence = object().put("type", "Sequence");
        ArrayNode parts = sequence.putArray("decoders");
        parts.add(replace("\u2581", " "));
        parts.addObject().put("type", "ByteFallback");
        parts.addObject().put("type", "Fuse");
        parts.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
        return sequence;
    }

    private static ObjectNode replace(String what, String by) {
        ObjectNode replace = object().put("type", "Replace");
        replace.putObject("pattern").put("String", what);
        return replace.put("content", by);
    }

    private static ObjectNode byteLevel(boolean addPrefixSpace, boolean useRegex) {
        return object().put("type", "ByteLevel").put("add_prefix_space", addPrefixSpace)
                .put("trim_offsets", true).put("use_regex", useRegex);
    }

    /** Puts the begin-of-text token in front of a text. */
    private ObjectNode bosTemplate() {
        String bos = tokenizer.bosToken();
        ObjectNode template = object().put("type", "TemplateProcessing");
        ArrayNode single = template.putArray("single");
        addPiece(single, "SpecialToken", bos, 0);
        addPiece(single, "Sequence", "A", 0);
        ArrayNode pair = template.putArray("pair");
        addPiece(pair, "SpecialToken", bos, 0);
        addPiece(pair, "Sequence", "A", 0);
        addPiece(pair, "SpecialToken", bos, 1);
        addPiece(pair, "Sequence", "B", 1);
        ObjectNode token = template.putObject("special_tokens").putObject(bos).put("id", bos);
        token.putArray("ids").add(tokenizer.bosId());
        token.putArray("tokens").add(bos);
        return template;
    }

    private static void addPiece(ArrayNode pieces, String kind, String id, int type) {
        pieces.addObject().putObject(kind).put("id", id).put("type_id", type);
    }

    /** tokenizer_config.json, with the chat template of BitNet's release. */
    private ObjectNode tokenizerConfig(int contextLength) {
        ObjectNode config = object();
        if (!kind.byteLevel()) {
            config.put("add_bos_token", true).put("add_eos_token", false);
        }
        ObjectNode added = config.putObject("added_tokens_decoder");
        addedTokens().forEach((id, content) -> {
            ObjectNode token = added(id, content);
            token.remove("id");
            added.set(String.valueOf(id), token);
        });
        config.put("bos_token", tokenizer.bosToken()).put("chat_template", chatTemplate());
        config.put("clean_up_tokenization_spaces", false).put("eos_token", tokenizer.eosToken());
        config.putArray("model_input_names").add("input_ids").add("attention_mask");
        config.put("model_max_length", contextLength);
        if (kind.byteLevel()) {
            return config.put("tokenizer_class", "PreTrainedTokenizerFast");
        }
        return config.put("tokenizer_class", "LlamaTokenizer").put("unk_token", tokenizer.specials().getFirst());
    }

    private String chatTemplate() {
        String bos = tokenizer.addsBos() ? "{% if loop.first %}{{ bos_token }}{% endif %}" : "";
        return "{% for message in messages %}" + bos
                + "{{ message['role'] | capitalize + ': ' + message['content'] | trim + '" + tokenizer.endOfTurnToken()
                + "' }}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}";
    }

    private static ObjectNode added(int id, String content) {
        return object().put("id", id).put("content", content).put("single_word", false).put("lstrip", false)
                .put("rstrip", false).put("normalized", false).put("special", true);
    }

    private static ObjectNode object() {
        return JsonMapper.shared().createObjectNode();
    }

    private static byte[] bytes(ObjectNode json) {
        return json.toPrettyString().getBytes(StandardCharsets.UTF_8);
    }
}
