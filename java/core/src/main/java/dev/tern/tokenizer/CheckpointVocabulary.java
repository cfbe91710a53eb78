package dev.tern.tokenizer;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads the tokenizer files of a Hugging Face checkpoint into a {@link Vocabulary}. Used once. */
final class CheckpointVocabulary {
    private static final String BYTE_LEVEL_ONLY = "This version of Tern reads byte-level BPE tokenizers only.";

    private final Path folder;
    private final Path file;
    private final Map<String, Integer> ids = new HashMap<>();
    private final TreeMap<Integer, Set<AddedTokenFlag>> flags = new TreeMap<>();
    private final List<String> notes = new ArrayList<>();
    private @Nullable String[] tokens = new String[0];
    private @Nullable TokenType[] types = new TokenType[0];

    CheckpointVocabulary(Path folder) {
        this.folder = folder;
        this.file = folder.resolve("tokenizer.json");
    }

    Vocabulary read(int vocabSize) {
        if (vocabSize <= 0 || vocabSize > Vocabulary.MAX_SIZE) {
            throw InputException.at(folder.resolve("config.json"))
                    .key("vocab_size")
                    .expected("1 to " + Vocabulary.MAX_SIZE)
                    .found(vocabSize)
                    .exception();
        }
        if (!Files.exists(file)) {
            boolean sentencePiece = Files.exists(folder.resolve("tokenizer.model"));
            throw InputException.at(file)
                    .problem(sentencePiece ? "no such file, only a SentencePiece tokenizer.model" : "no such file")
                    .cure(sentencePiece
                            ? BYTE_LEVEL_ONLY
                            : "Save the checkpoint's fast tokenizer beside it (save_pretrained of a PreTrainedTokenizerFast).")
                    .exception();
        }
        ObjectNode json = JsonFile.read(file);
        TokenizerJson form = TokenizerJson.check(json, file);
        ObjectNode config = readIfThere("tokenizer_config.json");
        ObjectNode generation = readIfThere("generation_config.json");

        tokens = new String[vocabSize];
        types = new TokenType[vocabSize];
        readModel(json.path("model").path("vocab"));
        readAdded(json.path("added_tokens"), config);
        for (int id = 0; id < vocabSize; id++) {
            if (tokens[id] == null) {
                tokens[id] = "[PAD" + id + "]";
                types[id] = TokenType.UNUSED;
            }
        }
        List<String> tokenList = List.of(tokens);
        List<TokenType> typeList = List.of(types);
        Map<SpecialToken, Integer> parts =
                EndTokens.completed(parts(config, generation, readIfThere("config.json")), tokenList, typeList);
        SortedSet<Integer> ends = EndTokens.of(parts, tokenList, typeList);
        addListedEnds(generation, ends);
        addListedEnds(readIfThere("config.json"), ends);
        boolean addBos = adds(config, "add_bos_token", form.addsFirst(), parts, SpecialToken.BOS);
        boolean addEos = adds(config, "add_eos_token", form.addsLast(), parts, SpecialToken.EOS);
        return new Vocabulary(
                tokenList,
                typeList,
                readMerges(json.path("model").path("merges")),
                form.preTokenizer(),
                form.ignoreMerges(),
                flags,
                parts,
                ends,
                addBos,
                addEos,
                chatTemplate(config),
                file.toString(),
                notes);
    }

    private void readModel(JsonNode vocab) {
        if (!(vocab instanceof ObjectNode entries)) {
            throw InputException.at(file).key("model.vocab").expected("an object of tokens and ids").exception();
        }
        for (Map.Entry<String, JsonNode> entry : entries.properties()) {
            enter(entry.getKey(), id(entry.getValue(), "model.vocab"), TokenType.NORMAL);
        }
    }

    /** tokenizer.json's own, and those that only tokenizer_config.json knows, which transformers adds when it loads both. */
    private void readAdded(JsonNode added, ObjectNode config) {
        for (JsonNode token : added) {
            addToken(token, id(token.path("id"), "added_tokens"), file);
        }
        for (Map.Entry<String, JsonNode> entry : config.path("added_tokens_decoder").properties()) {
            int id;
            try {
                id = Integer.parseInt(entry.getKey());
            } catch (NumberFormatException e) {
                throw InputException.at(folder.resolve("tokenizer_config.json"))
                        .key("added_tokens_decoder")
                        .expected("token ids as keys")
                        .found("'" + entry.getKey() + "'")
                        .exception(e);
            }
            String content = entry.getValue().path("content").asString("");
            Integer known = ids.get(content);
            if (known == null || known != id) {
                addToken(entry.getValue(), id, folder.resolve("tokenizer_config.json"));
            }
        }
    }

    private void addToken(JsonNode token, int id, Path where) {
        String content = token.path("content").isString() ? token.path("content").stringValue() : "";
        if (content.isEmpty()) {
            throw InputException.at(where).key("added_tokens").problem("added token " + id + " has no text").exception();
        }
        TokenType type = token.path("special").asBoolean(false) ? TokenType.CONTROL : TokenType.USER_DEFINED;
        Set<AddedTokenFlag> found = EnumSet.noneOf(AddedTokenFlag.class);
        if (content.equals(id >= 0 && id < tokens.length ? tokens[id] : null)) {
            found.add(AddedTokenFlag.IN_MODEL);
            types[id] = type;
        } else {
            enter(content, id, type);
        }
        for (AddedTokenFlag flag : List.of(
                AddedTokenFlag.SINGLE_WORD, AddedTokenFlag.LSTRIP, AddedTokenFlag.RSTRIP, AddedTokenFlag.NORMALIZED)) {
            if (token.path(flag.name().toLowerCase(java.util.Locale.ROOT)).asBoolean(false)) {
                found.add(flag);
            }
        }
        if (!found.isEmpty()) {
            flags.put(id, Collections.unmodifiableSet(found));
        }
    }

    private void enter(String token, int id, TokenType type) {
        if (id < 0 || id >= tokens.length) {
            throw InputException.at(file)
                    .problem("token '" + token + "' has an id beyond the model's vocabulary")
                    .expected("below vocab_size " + tokens.length)
                    .found(id)
                    .cure("The tokenizer and config.json are of different models, or the embedding was not resized for added tokens.")
                    .exception();
        }
        Integer other = ids.put(token, id);
        if (other != null || tokens[id] != null) {
            throw InputException.at(file)
                    .problem(other != null
                            ? "token '" + token + "' has two ids, " + other + " and " + id
                            : "id " + id + " has two tokens, '" + tokens[id] + "' and '" + token + "'")
                    .exception();
        }
        tokens[id] = token;
        types[id] = type;
    }

    /** "left right", or pairs (tokenizers since 0.20), whose inner spaces are written as the byte alphabet does. */
    private List<String> readMerges(JsonNode merges) {
        if (!merges.isArray()) {
            throw InputException.at(file).key("model.merges").expected("a list").found(merges.getNodeType()).exception();
        }
        List<String> read = new ArrayList<>(merges.size());
        for (JsonNode merge : merges) {
            if (merge.isString()) {
                read.add(merge.stringValue());
            } else if (merge.size() == 2 && merge.get(0).isString() && merge.get(1).isString()) {
                read.add(merge.get(0).stringValue().replace(' ', 'Ġ') + ' ' + merge.get(1).stringValue().replace(' ', 'Ġ'));
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

    /** The parts by name, then by id; the first file that names one counts, as in llama.cpp's converter. */
    private Map<SpecialToken, Integer> parts(ObjectNode config, ObjectNode generation, ObjectNode model) {
        Map<SpecialToken, Integer> parts = new EnumMap<>(SpecialToken.class);
        for (ObjectNode names : List.of(config, readIfThere("special_tokens_map.json"))) {
            for (SpecialToken part : SpecialToken.values()) {
                String key = part.configName();
                JsonNode named = key == null ? names.missingNode() : names.path(key);
                String content = named.isObject() ? named.path("content").asString("") : named.asString("");
                Integer id = ids.get(content);
                if (id != null) {
                    parts.putIfAbsent(part, id);
                } else if (!content.isEmpty()) {
                    notes.add(key + " '" + content + "' is not in the vocabulary: ignored");
                }
            }
        }
        for (ObjectNode numbers : List.of(generation, model)) {
            for (SpecialToken part : SpecialToken.values()) {
                String key = part.configIdName();
                JsonNode id = key == null ? numbers.missingNode() : numbers.path(key);
                if (id.isArray()) {
                    id = id.path(0);
                }
                if (id.canConvertToInt() && id.intValue() >= 0 && id.intValue() < tokens.length) {
                    parts.putIfAbsent(part, id.intValue());
                } else if (id.isNumber() && id.asInt(-1) != -1) {
                    notes.add(key + " " + id + " is beyond the vocabulary: ignored");
                }
            }
        }
        if (!parts.containsKey(SpecialToken.MASK)) {
            // Masked-diffusion fine-tunes name their mask only among the additional special tokens.
            for (String name : List.of("|<MASK>|", "<|MASK|>", "<|mask|>", "[MASK]", "<mask>")) {
                Integer id = ids.get(name);
                if (id != null && types[id] == TokenType.CONTROL) {
                    parts.putIfAbsent(SpecialToken.MASK, id);
                }
            }
        }
        return parts;
    }

    private void addListedEnds(ObjectNode config, SortedSet<Integer> ends) {
        JsonNode listed = config.path("eos_token_id");
        for (JsonNode id : listed.isArray() ? listed : List.of(listed)) {
            if (id.canConvertToInt() && id.intValue() >= 0 && id.intValue() < tokens.length) {
                ends.add(id.intValue());
            } else if (listed.isArray()) {
                notes.add("eos_token_id " + id + " is beyond the vocabulary: ignored");
            }
        }
    }

    /** What tokenizer_config.json says outright counts; otherwise what the post-processor of tokenizer.json does. */
    private boolean adds(
            ObjectNode config,
            String key,
            @Nullable Integer byTemplate,
            Map<SpecialToken, Integer> parts,
            SpecialToken part) {
        JsonNode explicit = config.path(key);
        if (explicit.isBoolean()) {
            if (explicit.booleanValue() && !parts.containsKey(part)) {
                notes.add(key + " is true, but no such token is named: none is added");
                return false;
            }
            return explicit.booleanValue();
        }
        if (byTemplate == null) {
            return false;
        }
        if (!byTemplate.equals(parts.get(part))) {
            Integer named = parts.get(part);
            throw InputException.at(file)
                    .key("post_processor")
                    .problem("the template adds a token that is not the " + part + " token")
                    .expected(named == null ? "a named " + part + " token" : "'" + tokens[named] + "'")
                    .found(byTemplate >= 0 && byTemplate < tokens.length ? "'" + tokens[byTemplate] + "'" : "id " + byTemplate)
                    .exception();
        }
        return true;
    }

    /** chat_template.jinja goes before tokenizer_config.json, as in transformers; of several named ones "default" counts. */
    private Optional<String> chatTemplate(ObjectNode config) {
        Path jinja = folder.resolve("chat_template.jinja");
        if (Files.exists(jinja)) {
            try {
                return Optional.of(Files.readString(jinja));
            } catch (CharacterCodingException e) {
                throw InputException.at(jinja).problem("not UTF-8").exception(e);
            } catch (IOException e) {
                throw InputException.at(jinja).problem("cannot be read", e).exception(e);
            }
        }
        JsonNode template = config.path("chat_template");
        if (template.isString()) {
            return Optional.of(template.stringValue());
        }
        if (template.isArray()) {
            for (JsonNode named : template) {
                if (named.path("name").asString("").equals("default") && named.path("template").isString()) {
                    return Optional.of(named.path("template").stringValue());
                }
            }
            notes.add("none of the chat templates in tokenizer_config.json is named \"default\": there is no chat template");
        }
        return Optional.empty();
    }

    private ObjectNode readIfThere(String name) {
        Path path = folder.resolve(name);
        return Files.exists(path) ? JsonFile.read(path) : JsonFile.parse(new byte[] {'{', '}'}, path);
    }

    private int id(JsonNode node, String key) {
        if (!node.canConvertToInt()) {
            throw InputException.at(file).key(key).expected("an integer id").found(node).exception();
        }
        return node.intValue();
    }
}
