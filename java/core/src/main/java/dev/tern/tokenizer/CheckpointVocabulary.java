package dev.tern.tokenizer;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads the tokenizer files of a Hugging Face checkpoint into a {@link Vocabulary}. Used once. */
final class CheckpointVocabulary {
    private final Path folder;
    private final Path file;
    private final List<String> notes = new ArrayList<>();

    CheckpointVocabulary(Path folder) {
        this.folder = folder;
        Path json = folder.resolve("tokenizer.json");
        Path model = folder.resolve("tokenizer.model");
        this.file = !Files.exists(json) && Files.exists(model) ? model : json;
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
            boolean wordPiece = Files.exists(folder.resolve("vocab.txt"));
            throw InputException.at(file)
                    .problem(wordPiece
                            ? "no such file, only vocab.txt, which is WordPiece, the tokenizer of BERT"
                            : "no such file")
                    .cure(wordPiece
                            ? "This version of Tern reads BPE and Unigram tokenizers."
                            : "Save the checkpoint's fast tokenizer beside it (save_pretrained of a PreTrainedTokenizerFast).")
                    .exception();
        }
        ObjectNode config = readIfThere("tokenizer_config.json");
        VocabularyBuilder builder = new VocabularyBuilder(file, vocabSize);
        PieceFiles.Read read = file.endsWith("tokenizer.model")
                ? PieceFiles.model(file, config, builder)
                : PieceFiles.json(file, folder, builder);
        readAdded(config, builder);
        builder.pad();
        return assembled(config, read, builder);
    }

    private Vocabulary assembled(ObjectNode config, PieceFiles.Read read, VocabularyBuilder builder) {
        ObjectNode generation = readIfThere("generation_config.json");
        ObjectNode model = readIfThere("config.json");
        if (PreTokenizer.of(read.pipeline()) == PreTokenizer.OTHER) {
            notes.add("no name in GGUF files stands for how this tokenizer cuts and changes text: Tern stores it in full,"
                    + " other programs use a default, and may make other tokens of some texts");
        }
        List<String> tokens = builder.tokens();
        List<TokenType> types = builder.types();
        Map<SpecialToken, Integer> named = parts(config, generation, model, builder);
        read.parts().forEach(named::putIfAbsent);
        Map<SpecialToken, Integer> parts = KnownTokens.completed(named, tokens, types);
        SortedSet<Integer> ends = KnownTokens.of(parts, tokens, types);
        addListedEnds(generation, ends, builder);
        addListedEnds(model, ends, builder);
        boolean addBos = adds(config, "add_bos_token", read.addsFirst(), parts, SpecialToken.BOS, builder);
        boolean addEos = adds(config, "add_eos_token", read.addsLast(), parts, SpecialToken.EOS, builder);
        return new Vocabulary(
                tokens,
                types,
                read.model().apply(builder),
                read.pipeline(),
                builder.flags(),
                parts,
                ends,
                addBos,
                addEos,
                chatTemplate(config),
                file.toString(),
                notes);
    }

    /** What only tokenizer_config.json and added_tokens.json know, which transformers adds when it loads a tokenizer. */
    private void readAdded(ObjectNode config, VocabularyBuilder builder) {
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
            Integer known = builder.id(entry.getValue().path("content").asString(""));
            if (known == null || known != id) {
                builder.added(entry.getValue(), id, folder.resolve("tokenizer_config.json"));
            }
        }
        JsonNode specials = readIfThere("special_tokens_map.json").path("additional_special_tokens");
        for (Map.Entry<String, JsonNode> entry : readIfThere("added_tokens.json").properties()) {
            if (builder.id(entry.getKey()) == null && !entry.getKey().isEmpty()) {
                boolean special = false;
                for (JsonNode name : specials) {
                    special |= (name.isObject() ? name.path("content") : name).asString("").equals(entry.getKey());
                }
                builder.added(
                        entry.getKey(),
                        PieceFiles.id(entry.getValue(), folder.resolve("added_tokens.json"), entry.getKey()),
                        special ? TokenType.CONTROL : TokenType.USER_DEFINED,
                        Set.of());
            }
        }
    }

    /** The parts by name, then by id; the first file that names one counts, as in llama.cpp's converter. */
    private Map<SpecialToken, Integer> parts(
            ObjectNode config, ObjectNode generation, ObjectNode model, VocabularyBuilder builder) {
        Map<SpecialToken, Integer> parts = new EnumMap<>(SpecialToken.class);
        for (ObjectNode names : List.of(config, readIfThere("special_tokens_map.json"))) {
            for (SpecialToken part : SpecialToken.values()) {
                String key = part.configName();
                JsonNode named = key == null ? names.missingNode() : names.path(key);
                String content = named.isObject() ? named.path("content").asString("") : named.asString("");
                Integer id = builder.id(content);
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
                if (id.canConvertToInt() && id.intValue() >= 0 && id.intValue() < builder.size()) {
                    parts.putIfAbsent(part, id.intValue());
                } else if (id.isNumber() && id.asInt(-1) != -1) {
                    notes.add(key + " " + id + " is beyond the vocabulary: ignored");
                }
            }
        }
        return parts;
    }

    private void addListedEnds(ObjectNode config, SortedSet<Integer> ends, VocabularyBuilder builder) {
        JsonNode listed = config.path("eos_token_id");
        for (JsonNode id : listed.isArray() ? listed : List.of(listed)) {
            if (id.canConvertToInt() && id.intValue() >= 0 && id.intValue() < builder.size()) {
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
            SpecialToken part,
            VocabularyBuilder builder) {
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
        Integer named = parts.putIfAbsent(part, byTemplate);
        if (named != null && !named.equals(byTemplate)) {
            throw InputException.at(file)
                    .key("post_processor")
                    .problem("the template adds a token that is not the " + part + " token")
                    .expected("'" + builder.token(named) + "'")
                    .found(builder.token(byTemplate) != null ? "'" + builder.token(byTemplate) + "'" : "id " + byTemplate)
                    .exception();
        }
        return true;
    }

    /**
     * chat_template.jinja goes before tokenizer_config.json, as in transformers, and chat_template.json, which only its
     * processors write, counts where neither has one; of several named ones "default" counts.
     */
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
        if (template.isMissingNode() || template.isNull()) {
            template = readIfThere("chat_template.json").path("chat_template");
        }
        if (template.isString()) {
            return Optional.of(template.stringValue());
        }
        if (template.isArray()) {
            for (JsonNode named : template) {
                if (named.path("name").asString("").equals("default") && named.path("template").isString()) {
                    return Optional.of(named.path("template").stringValue());
                }
            }
            notes.add("none of the chat templates is named \"default\": there is no chat template");
        }
        return Optional.empty();
    }

    private ObjectNode readIfThere(String name) {
        Path path = folder.resolve(name);
        return Files.exists(path) ? JsonFile.read(path) : JsonFile.parse(new byte[] {'{', '}'}, path);
    }
}
