package dev.tern.checkpoint;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A byte-level BPE tokenizer of a given size in the layout of Llama 3: the 256 bytes, then merges, then special tokens
 * at the end. The merges build pronounceable words out of consonant-vowel syllables, so every text can be encoded and
 * every token decodes to something readable.
 */
final class SyntheticTokenizer {
    /** The bytes and the fewest special tokens. */
    static final int LEAST_VOCAB = 256 + 16;

    static final String BEGIN_OF_TEXT = "<|begin_of_text|>";
    static final String END_OF_TEXT = "<|end_of_text|>";

    /** From here on as many special tokens as Llama 3 has. */
    private static final int LARGE_VOCAB = 16384;

    private static final String CONSONANTS = "bcdfghjklmnpqrstvwxyz";
    private static final String VOWELS = "aeiou";

    /** How GPT-2's byte alphabet spells a space. */
    private static final String SPACE = "\u0120";

    private static final String SPLIT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final String CHAT_TEMPLATE = "{% for message in messages %}"
            + "{% if loop.first %}{{ bos_token }}{% endif %}"
            + "{{ message['role'] | capitalize + ': ' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
            + "{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}";

    /** A merge of two earlier tokens. */
    private record Merge(String left, String right) {
        String result() {
            return left + right;
        }
    }

    private final int vocabSize;
    private final List<String> extra;
    private final List<String> specials;
    private final List<Merge> merges;

    SyntheticTokenizer(int vocabSize) {
        this(vocabSize, List.of());
    }

    /** @param extra special tokens at the very end, of which the vocabulary's size is to count each */
    SyntheticTokenizer(int vocabSize, List<String> extra) {
        if (vocabSize < LEAST_VOCAB + extra.size()) {
            throw new IllegalArgumentException("vocabulary of " + vocabSize);
        }
        this.vocabSize = vocabSize;
        this.extra = extra;
        this.specials = Stream.concat(specials(vocabSize < LARGE_VOCAB ? 16 : 256).stream(), extra.stream()).toList();
        this.merges = merges(vocabSize - specials.size() - 256);
    }

    int bosId() {
        return firstSpecial();
    }

    int eosId() {
        return firstSpecial() + 1;
    }

    /** {@code <|eot_id|>}, the end of a turn. */
    int endOfTurnId() {
        return firstSpecial() + specials.indexOf("<|eot_id|>");
    }

    private int firstSpecial() {
        return vocabSize - specials.size();
    }

    /** Names and order of Llama 3's special tokens. */
    private static List<String> specials(int count) {
        List<String> names = new ArrayList<>(List.of(
                BEGIN_OF_TEXT, END_OF_TEXT, reserved(0), reserved(1), "<|finetune_right_pad_id|>", reserved(2),
                "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>"));
        for (int i = 3; names.size() < count; i++) {
            names.add(reserved(i));
        }
        return List.copyOf(names);
    }

    private static String reserved(int i) {
        return "<|reserved_special_token_" + i + "|>";
    }

    /** Syllables, with and without a space before them; then words, each one syllable longer than an earlier one. */
    private static List<Merge> merges(int count) {
        List<Merge> merges = new ArrayList<>(count);
        List<String> syllables = new ArrayList<>();
        for (String consonant : CONSONANTS.split("")) {
            merges.add(new Merge(SPACE, consonant));
            for (String vowel : VOWELS.split("")) {
                merges.add(new Merge(SPACE + consonant, vowel));
                merges.add(new Merge(consonant, vowel));
                syllables.add(consonant + vowel);
            }
        }
        List<String> words = merges.stream().map(Merge::result).filter(word -> !word.matches(SPACE + ".")).toList();
        while (merges.size() < count) {
            List<String> longer = new ArrayList<>();
            for (String syllable : syllables) {
                for (String word : words) {
                    if (merges.size() < count) {
                        merges.add(new Merge(word, syllable));
                        longer.add(word + syllable);
                    }
                }
            }
            words = longer;
        }
        return List.copyOf(merges.subList(0, count));
    }

    /** GPT-2's alphabet of printable characters for the 256 bytes, in the order of their characters. */
    private static List<String> byteAlphabet() {
        List<String> alphabet = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            if (b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae) {
                alphabet.add(String.valueOf((char) b));
            }
        }
        for (int i = 0; alphabet.size() < 256; i++) {
            alphabet.add(String.valueOf((char) (256 + i)));
        }
        return alphabet;
    }

    /** tokenizer.json of Hugging Face's tokenizers. */
    byte[] tokenizerJson() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(48 * vocabSize);
        try (JsonGenerator json = JsonMapper.shared().createGenerator(bytes)) {
            json.writeStartObject();
            json.writeStringProperty("version", "1.0");
            json.writeNullProperty("truncation");
            json.writeNullProperty("padding");
            json.writeArrayPropertyStart("added_tokens");
            for (int i = 0; i < specials.size(); i++) {
                json.writeTree(added(firstSpecial() + i, specials.get(i)));
            }
            json.writeEndArray();
            json.writeNullProperty("normalizer");
            json.writeName("pre_tokenizer");
            json.writeTree(preTokenizer());
            json.writeName("post_processor");
            json.writeTree(postProcessor());
            json.writeName("decoder");
            json.writeTree(byteLevel(true, true));
            writeModel(json);
            json.writeEndObject();
        }
        return bytes.toByteArray();
    }

    private void writeModel(JsonGenerator json) {
        json.writeObjectPropertyStart("model");
        json.writeStringProperty("type", "BPE");
        for (String absent : List.of("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")) {
            json.writeNullProperty(absent);
        }
        json.writeBooleanProperty("fuse_unk", false);
        json.writeBooleanProperty("byte_fallback", false);
        json.writeBooleanProperty("ignore_merges", true);
        json.writeObjectPropertyStart("vocab");
        int id = 0;
        for (String character : byteAlphabet()) {
            json.writeNumberProperty(character, id++);
        }
        for (Merge merge : merges) {
            json.writeNumberProperty(merge.result(), id++);
        }
        json.writeEndObject();
        json.writeArrayPropertyStart("merges");
        for (Merge merge : merges) {
            json.writeStartArray();
            json.writeString(merge.left());
            json.writeString(merge.right());
            json.writeEndArray();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static ObjectNode added(int id, String content) {
        ObjectNode node = JsonMapper.shared().createObjectNode();
        node.put("id", id).put("content", content).put("single_word", false).put("lstrip", false);
        return node.put("rstrip", false).put("normalized", false).put("special", true);
    }

    private static ObjectNode preTokenizer() {
        ObjectNode sequence = JsonMapper.shared().createObjectNode().put("type", "Sequence");
        ArrayNode parts = sequence.putArray("pretokenizers");
        ObjectNode split = parts.addObject().put("type", "Split");
        split.putObject("pattern").put("Regex", SPLIT);
        split.put("behavior", "Isolated").put("invert", false);
        parts.add(byteLevel(false, false));
        return sequence;
    }

    private static ObjectNode byteLevel(boolean addPrefixSpace, boolean useRegex) {
        return JsonMapper.shared().createObjectNode().put("type", "ByteLevel").put("add_prefix_space", addPrefixSpace)
                .put("trim_offsets", true).put("use_regex", useRegex);
    }

    /** Puts the begin-of-text token in front of a text. */
    private ObjectNode postProcessor() {
        ObjectNode template = JsonMapper.shared().createObjectNode().put("type", "TemplateProcessing");
        ArrayNode single = template.putArray("single");
        addPiece(single, "SpecialToken", BEGIN_OF_TEXT, 0);
        addPiece(single, "Sequence", "A", 0);
        ArrayNode pair = template.putArray("pair");
        addPiece(pair, "SpecialToken", BEGIN_OF_TEXT, 0);
        addPiece(pair, "Sequence", "A", 0);
        addPiece(pair, "SpecialToken", BEGIN_OF_TEXT, 1);
        addPiece(pair, "Sequence", "B", 1);
        ObjectNode token = template.putObject("special_tokens").putObject(BEGIN_OF_TEXT).put("id", BEGIN_OF_TEXT);
        token.putArray("ids").add(bosId());
        token.putArray("tokens").add(BEGIN_OF_TEXT);
        return template;
    }

    private static void addPiece(ArrayNode pieces, String kind, String id, int type) {
        pieces.addObject().putObject(kind).put("id", id).put("type_id", type);
    }

    /** tokenizer_config.json, with the chat template of BitNet's release. */
    ObjectNode tokenizerConfig(int contextLength) {
        ObjectNode config = JsonMapper.shared().createObjectNode();
        ObjectNode added = config.putObject("added_tokens_decoder");
        for (int i = 0; i < specials.size(); i++) {
            ObjectNode token = added(firstSpecial() + i, specials.get(i));
            token.remove("id");
            added.set(String.valueOf(firstSpecial() + i), token);
        }
        if (!extra.isEmpty()) {
            extra.forEach(config.putArray("additional_special_tokens")::add);
        }
        config.put("bos_token", BEGIN_OF_TEXT).put("chat_template", CHAT_TEMPLATE);
        config.put("clean_up_tokenization_spaces", false).put("eos_token", END_OF_TEXT);
        config.putArray("model_input_names").add("input_ids").add("attention_mask");
        return config.put("model_max_length", contextLength).put("tokenizer_class", "PreTrainedTokenizerFast");
    }
}
