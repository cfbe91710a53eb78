package dev.tern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufValueType;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What is read from a checkpoint, what stands in GGUF, and what is refused. */
class VocabularyTest {
    private static final Path TINY = GoldenCases.TESTDATA.resolve("tiny-bitnet/packed-u8");

    @TempDir
    Path folder;

    private final Vocabulary tiny = GoldenCases.tiny();

    // ---- reading a checkpoint

    @Test
    void theTinyCheckpoint() {
        assertThat(tiny.size()).isEqualTo(4096);
        assertThat(tiny.merges()).hasSize(3824);
        assertThat(tiny.preTokenizer()).isEqualTo(PreTokenizer.LLAMA3);
        assertThat(((SubwordModel.BytePairs) tiny.model()).ignoreMerges()).isTrue();
        assertThat(tiny.addBos()).isTrue();
        assertThat(tiny.addEos()).isFalse();
        assertThat(tiny.specialIds()).isEqualTo(Map.of(
                SpecialToken.BOS, 4080, SpecialToken.EOS, 4081, SpecialToken.END_OF_TURN, 4089, SpecialToken.END_OF_MESSAGE, 4088));
        assertThat(tiny.endIds()).containsExactly(4081, 4088, 4089);
        assertThat(tiny.chatTemplate()).hasValueSatisfying(t -> assertThat(t).startsWith("{% for message in messages %}"));
        assertThat(tiny.notes()).isEmpty();
    }

    @Test
    void rowsWithoutATokenAreNeverInText() {
        Vocabulary padded = Vocabulary.ofCheckpoint(TINY, 4100);
        assertThat(padded.tokens().get(4099)).isEqualTo("[PAD4099]");
        assertThat(padded.types().get(4099)).isEqualTo(TokenType.UNUSED);
        Tokenizer tokenizer = Tokenizer.of(GoldenCases.throughGguf(padded));
        assertThat(tokenizer.encode("[PAD4099]", false, true)).hasSizeGreaterThan(1);
        assertThat(tokenizer.decode(new int[] {4099}, false)).isEmpty();
    }

    @Test
    void aSeparateTemplateFileGoesFirst() throws IOException {
        copyTiny();
        Files.writeString(folder.resolve("chat_template.jinja"), "from the file");
        assertThat(read().chatTemplate()).contains("from the file");
    }

    @Test
    void aTemplateInJsonCountsWhereThereIsNoOther() throws IOException {
        edit("tokenizer_config.json", config -> config.put("chat_template", "of the configuration"));
        Files.writeString(folder.resolve("chat_template.json"), "{\"chat_template\": \"of a processor\"}");
        assertThat(read().chatTemplate()).contains("of the configuration");
        edit("tokenizer_config.json", config -> config.remove("chat_template"));
        assertThat(read().chatTemplate()).contains("of a processor");
        Files.writeString(folder.resolve("chat_template.jinja"), "from the file");
        assertThat(read().chatTemplate()).contains("from the file");
    }

    @Test
    void ofNamedTemplatesTheDefaultCounts() throws IOException {
        edit("tokenizer_config.json", config -> {
            ArrayNode templates = config.putArray("chat_template");
            templates.addObject().put("name", "tool_use").put("template", "tools");
            templates.addObject().put("name", "default").put("template", "plain");
        });
        assertThat(read().chatTemplate()).contains("plain");
    }

    @Test
    void tokensThatOnlyTheConfigurationNamesAreAdded() throws IOException {
        edit("tokenizer_config.json", config -> ((ObjectNode) config.get("added_tokens_decoder"))
                .putObject("4096").put("content", "|<MASK>|").put("special", true));
        Vocabulary vocabulary = Vocabulary.ofCheckpoint(folder, 4097);
        assertThat(vocabulary.id(SpecialToken.MASK)).hasValue(4096);
        assertThat(Tokenizer.of(vocabulary).encode("a|<MASK>|", false, true)).endsWith(4096);
        assertThat(vocabulary.toGguf().get("tokenizer.ggml.mask_token_id")).isEqualTo(GgufValue.u32(4096));
    }

    @Test
    void whetherBosIsAddedIsSaidOutrightOrByThePostProcessor() throws IOException {
        edit("tokenizer_config.json", config -> config.put("add_bos_token", false));
        assertThat(read().addBos()).isFalse();
        edit("tokenizer_config.json", config -> config.put("add_eos_token", true));
        assertThat(read().addEos()).isTrue();
        edit("tokenizer.json", json -> json.putNull("post_processor"));
        assertThat(read().addBos()).isFalse();
    }

    @Test
    void endTokensAreThoseListedAndThoseKnown() throws IOException {
        edit("generation_config.json", json -> json.putArray("eos_token_id").add(4081).add(4095).add(99999));
        Vocabulary vocabulary = read();
        assertThat(vocabulary.endIds()).containsExactly(4081, 4088, 4089, 4095);
        assertThat(vocabulary.notes()).anyMatch(note -> note.contains("99999"));
        assertThat(GoldenCases.throughGguf(vocabulary).endIds()).isEqualTo(vocabulary.endIds());
    }

    @Test
    void idsOfTheModelsConfigurationFillInWhatIsNotNamed() throws IOException {
        edit("tokenizer_config.json", config -> config.remove("eos_token"));
        Files.delete(folder.resolve("special_tokens_map.json"));
        edit("config.json", config -> config.put("pad_token_id", 4084).put("eos_token_id", 4081));
        assertThat(read().id(SpecialToken.EOS)).hasValue(4081);
        assertThat(read().id(SpecialToken.PADDING)).hasValue(4084);
    }

    @Test
    void mergesAsTextAreMergesAsPairs() throws IOException {
        edit("tokenizer.json", json -> {
            ArrayNode merges = ((ObjectNode) json.get("model")).putArray("merges");
            tiny.merges().forEach(merges::add);
        });
        assertThat(read()).isEqualTo(tiny);
    }

    // ---- refusing a checkpoint

    @Test
    void whatWouldGiveOtherIdsIsRefused() throws IOException {
        refused("tokenizer.json", json -> json.putObject("normalizer").put("type", "BertNormalizer"), "normalizer", "BertNormalizer");
        refused("tokenizer.json", json -> ((ObjectNode) json.get("model")).put("type", "Unigram"), "model.type", "BPE", "Unigram");
        refused("tokenizer.json", json -> ((ObjectNode) json.get("model")).put("type", "WordPiece"), "model.type", "BPE", "WordPiece");
        refused("tokenizer.json", json -> ((ObjectNode) json.get("model")).put("byte_fallback", true), "byte_fallback");
        refused("tokenizer.json", json -> ((ObjectNode) json.get("model")).put("dropout", 0.1), "dropout");
        refused("tokenizer.json", json -> ((ObjectNode) json.get("model")).put("end_of_word_suffix", "</w>"), "end_of_word_suffix");
        refused("tokenizer.json", json -> json.putObject("decoder").put("type", "Metaspace"), "decoder", "Metaspace");
        refused("tokenizer.json", json -> ((ObjectNode) json.at("/pre_tokenizer/pretokenizers/0/pattern")).put("Regex", "(\\w)\\1"),
                "pre_tokenizer", "regular expression", "\\1");
        refused("tokenizer.json", json -> json.putObject("pre_tokenizer").put("type", "BertPreTokenizer"), "pre_tokenizer", "BertPreTokenizer");
        refused("tokenizer.json", json -> json.putObject("pre_tokenizer").put("type", "WhitespaceSplit"), "decoder");
        refused("tokenizer.json", json -> json.putObject("post_processor").put("type", "BertProcessing"), "post_processor");
        refused("tokenizer.json", json -> ((ArrayNode) json.at("/post_processor/processors/1/single")).addObject()
                .putObject("Sequence").put("id", "A"), "post_processor");
        refused("tokenizer.json", json -> ((ObjectNode) json.at("/post_processor/processors/1/special_tokens/<|begin_of_text|>"))
                .putArray("ids").add(4089), "post_processor", "'<|eot_id|>'");
    }

    @Test
    void contradictionsAreRefused() throws IOException {
        refused("tokenizer.json", json -> ((ObjectNode) json.at("/model/vocab")).put("!", 1), "id 1 has two tokens");
        refused("tokenizer.json", json -> ((ObjectNode) json.at("/model/vocab")).put("!", 4096), "beyond the model's vocabulary", "4096");
        refused("tokenizer.json", json -> ((ObjectNode) json.at("/model/vocab")).put("!", -1), "beyond");
        refused("tokenizer.json", json -> ((ObjectNode) json.at("/model/vocab")).put("!", "x"), "model.vocab");
        refused("tokenizer.json", json -> ((ObjectNode) json.at("/added_tokens/0")).put("content", "<|eot_id|>"), "two ids");
        refused("tokenizer.json", json -> ((ArrayNode) json.at("/model/merges")).add("x yz q"), "merge 3824 is broken");
        refused("tokenizer.json", json -> ((ArrayNode) json.at("/model/merges")).add("qqq zzz"), "merge 3824 is broken", "'qqq'");
        refused("tokenizer.json", json -> ((ArrayNode) json.at("/model/merges")).add(5), "merge 3824");
        refused("tokenizer.json", json -> ((ArrayNode) json.at("/model/merges")).add("\u4F60 a"), "byte alphabet");
        refused("tokenizer.json", json -> ((ObjectNode) json.get("model")).put("merges", "x"), "model.merges");
        assertThatThrownBy(() -> Vocabulary.ofCheckpoint(TINY, 4000)).isInstanceOf(InputException.class).hasMessageContaining("vocab_size 4000");
        for (int size : new int[] {0, -1, Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> Vocabulary.ofCheckpoint(TINY, size)).isInstanceOf(InputException.class);
        }
    }

    @Test
    void aCheckpointWithoutATokenizerIsRefused() throws IOException {
        assertThatThrownBy(this::read).isInstanceOf(InputException.class).hasMessageContaining("no such file");
        Files.writeString(folder.resolve("vocab.txt"), "[UNK]");
        assertThatThrownBy(this::read).isInstanceOf(InputException.class).hasMessageContaining("WordPiece");
        Files.writeString(folder.resolve("tokenizer.model"), "x");
        assertThatThrownBy(this::read).isInstanceOf(InputException.class).hasMessageContaining("not a SentencePiece model");
    }

    /** Any node replaced by another kind of value: understood or refused, never another exception. */
    @Test
    void damagedJsonIsRefusedInWords() throws IOException {
        SplittableRandom random = new SplittableRandom(9);
        copyTiny();
        ObjectNode small = JsonFile.read(TINY.resolve("tokenizer.json"));
        // A vocabulary of bytes only, so that each of many rounds is quick and the rest of the file is hit often.
        ((ObjectNode) small.get("model")).putArray("merges").add("t h").add("h e");
        ObjectNode vocab = ((ObjectNode) small.get("model")).putObject("vocab");
        tiny.tokens().subList(0, 256).forEach(piece -> vocab.put(piece, vocab.size()));
        vocab.put("th", 256).put("he", 257);
        Files.writeString(folder.resolve("tokenizer.json"), small.toString());
        Tokenizer.of(read());
        List<String> files = List.of("tokenizer.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json", "special_tokens_map.json");
        int refused = 0;
        for (int round = 0; round < 1500; round++) {
            Path file = folder.resolve(files.get(random.nextInt(files.size())));
            byte[] good = Files.readAllBytes(file);
            ObjectNode json = JsonFile.read(file);
            damage(json, random);
            Files.writeString(file, json.toString());
            try {
                Tokenizer.of(read()).encode("Hello <|eot_id|>", true, true);
            } catch (InputException e) {
                refused++;
            }
            Files.write(file, good);
        }
        assertThat(refused).isBetween(100, 1400);
    }

    private static void damage(JsonNode root, SplittableRandom random) {
        JsonNode at = root;
        while (true) {
            List<JsonNode> inner = new ArrayList<>();
            at.forEach(child -> {
                if (child.isContainer() && !child.isEmpty()) {
                    inner.add(child);
                }
            });
            if (inner.isEmpty() || at != root && random.nextInt(3) == 0) {
                break;
            }
            at = inner.get(random.nextInt(inner.size()));
        }
        JsonNode[] values = {
            JsonFile.parse("{\"a\":-5}".getBytes(), "t").get("a"), JsonFile.parse("{\"a\":1e99}".getBytes(), "t").get("a"),
            JsonFile.parse("{\"a\":null}".getBytes(), "t").get("a"), JsonFile.parse("{\"a\":\"\"}".getBytes(), "t").get("a"),
            JsonFile.parse("{\"a\":[[]]}".getBytes(), "t").get("a"), JsonFile.parse("{\"a\":{\"id\":[1]}}".getBytes(), "t").get("a"),
            JsonFile.parse("{\"a\":9999999999}".getBytes(), "t").get("a"), JsonFile.parse("{\"a\":true}".getBytes(), "t").get("a"),
        };
        JsonNode value = values[random.nextInt(values.length)];
        if (at instanceof ObjectNode object) {
            List<String> names = List.copyOf(object.propertyNames());
            object.set(names.get(random.nextInt(names.size())), value);
        } else if (at instanceof ArrayNode array) {
            array.set(random.nextInt(array.size()), value);
        }
    }

    // ---- GGUF

    @Test
    void metadataIsWhatLlamaCppReads() {
        SequencedMap<String, GgufValue> metadata = tiny.toGguf();
        assertThat(metadata.keySet()).containsExactly(
                "tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens", "tokenizer.ggml.token_type",
                "tokenizer.ggml.merges", "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                "tokenizer.ggml.eom_token_id", "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_eos_token", "tokenizer.chat_template");
        assertThat(metadata.get("tokenizer.ggml.model")).isEqualTo(GgufValue.of("gpt2"));
        assertThat(metadata.get("tokenizer.ggml.pre")).isEqualTo(GgufValue.of("llama-bpe"));
        assertThat(metadata.get("tokenizer.ggml.bos_token_id")).isEqualTo(GgufValue.u32(4080));
        assertThat(metadata.get("tokenizer.ggml.eot_token_id")).isEqualTo(GgufValue.u32(4089));
        assertThat(((List<?>) metadata.get("tokenizer.ggml.merges").value()).getFirst()).isEqualTo("\u0120 t");
        int[] types = (int[]) metadata.get("tokenizer.ggml.token_type").value();
        assertThat(types[0]).isEqualTo(1);
        assertThat(types[4080]).isEqualTo(3);
        assertThat(Vocabulary.ofGguf(metadata, "memory")).isEqualTo(tiny);
    }

    @Test
    void filesOfOthers() {
        SequencedMap<String, GgufValue> metadata = tiny.toGguf();
        metadata.remove("tokenizer.ggml.pre");
        metadata.remove("tokenizer.ggml.add_bos_token");
        metadata.remove("tokenizer.ggml.eot_token_id");
        Vocabulary guessed = Vocabulary.ofGguf(metadata, "memory");
        assertThat(guessed).isEqualTo(tiny);
        assertThat(guessed.notes()).singleElement().asString().contains("tokenizer.ggml.pre").contains("llama-bpe");
        for (String alias : List.of("llama3", "llama-v3", "default")) {
            metadata.put("tokenizer.ggml.pre", GgufValue.of(alias));
            assertThat(Vocabulary.ofGguf(metadata, "memory")).isEqualTo(tiny);
        }
        metadata.put("tokenizer.ggml.padding_token_id", GgufValue.u32(-1));
        assertThat(Vocabulary.ofGguf(metadata, "memory")).isEqualTo(tiny);
        int[] types = ((int[]) metadata.get("tokenizer.ggml.token_type").value()).clone();
        metadata.put("tokenizer.ggml.token_type", new GgufValue(GgufValueType.ARRAY, GgufValueType.UINT32, types));
        assertThat(Vocabulary.ofGguf(metadata, "memory")).isEqualTo(tiny);
    }

    @Test
    void anUnknownPreTokenizerIsRefusedWithThoseThatAreKnown() {
        for (String pre : List.of("falcon-7", "qwen35", "bloom", "")) {
            refusedGguf(m -> m.put("tokenizer.ggml.pre", GgufValue.of(pre)), "tokenizer.ggml.pre", "llama-bpe", "gpt-2");
        }
        SequencedMap<String, GgufValue> gpt2 = tiny.toGguf();
        gpt2.put("tokenizer.ggml.pre", GgufValue.of("gpt-2"));
        Vocabulary vocabulary = Vocabulary.ofGguf(gpt2, "memory");
        assertThat(vocabulary.preTokenizer()).isEqualTo(PreTokenizer.GPT2);
        assertThat(((SubwordModel.BytePairs) vocabulary.model()).ignoreMerges()).isFalse();
        assertThat(GoldenCases.throughGguf(vocabulary)).isEqualTo(vocabulary);
    }

    @Test
    void brokenMetadataIsRefused() {
        refusedGguf(m -> m.put("tokenizer.ggml.model", GgufValue.of("rwkv")), "byte-level BPE", "rwkv");
        refusedGguf(m -> m.put("tokenizer.ggml.model", GgufValue.of("bert")), "WordPiece");
        refusedGguf(m -> m.put("tokenizer.ggml.model", GgufValue.of("llama")), "tokenizer.ggml.scores", "4096 scores");
        refusedGguf(m -> m.remove("tokenizer.ggml.model"), "tokenizer.ggml.model", "missing");
        refusedGguf(m -> m.remove("tokenizer.ggml.tokens"), "missing");
        refusedGguf(m -> m.remove("tokenizer.ggml.merges"), "missing");
        refusedGguf(m -> m.put("tokenizer.ggml.tokens", GgufValue.strings(List.of())), "0");
        refusedGguf(m -> m.put("tokenizer.ggml.token_type", GgufValue.int32s(new int[] {1, 1})), "4096 types");
        refusedGguf(m -> ((int[]) m.get("tokenizer.ggml.token_type").value())[7] = 9, "token 7");
        refusedGguf(m -> m.put("tokenizer.ggml.bos_token_id", GgufValue.u32(4096)), "4096");
        refusedGguf(m -> m.put("tokenizer.ggml.eos_token_id", GgufValue.u32(-2)), "eos_token_id");
        refusedGguf(m -> m.remove("tokenizer.ggml.bos_token_id"), "BOS");
        refusedGguf(m -> m.put("tokenizer.ggml.merges", GgufValue.strings(List.of("xx yyy"))), "merge 0", "'xx'");
        refusedGguf(m -> m.put("tokenizer.tern.end_token_ids", GgufValue.int32s(new int[] {-7})), "-7");
        refusedGguf(m -> m.put("tokenizer.tern.added_token_flags", GgufValue.int32s(new int[] {5000, 1})), "5000");
        List<String> twice = new ArrayList<>(tiny.tokens());
        twice.set(5, twice.get(6));
        refusedGguf(m -> m.put("tokenizer.ggml.tokens", GgufValue.strings(twice)), "two ids, 5 and 6");
        for (String key : tiny.toGguf().keySet()) {
            refusedGguf(m -> m.put(key, new GgufValue(GgufValueType.ARRAY, GgufValueType.FLOAT32, new float[] {1})), key);
        }
    }

    private void refusedGguf(Consumer<SequencedMap<String, GgufValue>> change, String... inMessage) {
        SequencedMap<String, GgufValue> metadata = tiny.toGguf();
        change.accept(metadata);
        assertThatThrownBy(() -> Tokenizer.of(Vocabulary.ofGguf(metadata, "model.gguf")))
                .isInstanceOf(InputException.class)
                .message()
                .startsWith("model.gguf")
                .contains(inMessage);
    }

    // ---- files

    private Vocabulary read() {
        return Vocabulary.ofCheckpoint(folder, 4096);
    }

    private void copyTiny() throws IOException {
        for (String name : List.of(
                "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "config.json")) {
            if (!Files.exists(folder.resolve(name))) {
                Files.copy(TINY.resolve(name), folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private void edit(String name, Consumer<ObjectNode> change) throws IOException {
        copyTiny();
        ObjectNode json = JsonFile.read(folder.resolve(name));
        change.accept(json);
        Files.writeString(folder.resolve(name), json.toString());
    }

    private void refused(String name, Consumer<ObjectNode> change, String... inMessage) throws IOException {
        copyTiny();
        byte[] good = Files.readAllBytes(folder.resolve(name));
        edit(name, change);
        assertThatThrownBy(this::read).isInstanceOf(InputException.class).message().startsWith(folder.toString()).contains(inMessage);
        Files.write(folder.resolve(name), good);
    }
}
