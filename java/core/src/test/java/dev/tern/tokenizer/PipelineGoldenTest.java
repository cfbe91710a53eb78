package dev.tern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.gguf.GgufValue;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Small tokenizers, each with another way of cutting and changing text, on the texts of the golden cases: equal to what
 * Hugging Face's tokenizers and Google's sentencepiece made of them, from the checkpoint's files and from GGUF.
 */
class PipelineGoldenTest {
    private static final Path PIPELINES = GoldenCases.TESTDATA.resolve("tokenizers/pipelines");

    @TempDir
    Path folder;

    static List<String> withTokenizerJson() throws IOException {
        try (Stream<Path> folders = Files.list(PIPELINES)) {
            List<String> names = folders.filter(path -> Files.exists(path.resolve("tokenizer.json.gz")))
                    .map(path -> path.getFileName().toString())
                    .sorted()
                    .toList();
            assertThat(names).hasSizeGreaterThanOrEqualTo(19);
            return names;
        }
    }

    @ParameterizedTest
    @MethodSource("withTokenizerJson")
    void equalsHuggingFace(String name) throws IOException {
        Vocabulary vocabulary = unpack(name, true);
        JsonNode golden = golden(name);
        check(golden, Tokenizer.of(vocabulary));
        Vocabulary again = GoldenCases.throughGguf(vocabulary);
        assertThat(again).isEqualTo(vocabulary);
        check(golden, Tokenizer.of(again));
    }

    private static void check(JsonNode golden, Tokenizer tokenizer) {
        SoftAssertions all = new SoftAssertions();
        List<JsonNode> texts = GoldenCases.lines("tiny.encode.jsonl");
        assertThat(golden.get("ids")).hasSize(texts.size());
        for (int i = 0; i < texts.size(); i++) {
            String text = texts.get(i).get("text").stringValue();
            int[] ids = ids(golden.get("ids").get(i));
            all.assertThat(tokenizer.encode(text, false, true)).as("ids of %s", texts.get(i)).isEqualTo(ids);
            all.assertThat(tokenizer.encode(text, false, false))
                    .as("as text, %s", texts.get(i))
                    .isEqualTo(ids(golden.get("ids_special_as_text").get(i)));
            all.assertThat(tokenizer.decode(ids, false))
                    .as("decoded %s", texts.get(i))
                    .isEqualTo(golden.get("decoded").get(i).stringValue());
            TokenStream stream = tokenizer.stream(false);
            StringBuilder streamed = new StringBuilder();
            for (int id : ids) {
                streamed.append(stream.push(id));
            }
            all.assertThat(streamed.append(stream.finish()).toString()).isEqualTo(golden.get("decoded").get(i).stringValue());
        }
        all.assertAll();
    }

    /** Tokens of the second half of a text continue the first; alone they lose the space in front. */
    @ParameterizedTest
    @ValueSource(strings = {"spm-bpe", "spm-unigram", "gpt-2"})
    void aContinuationKeepsTheSpaceInFront(String name) throws IOException {
        Tokenizer tokenizer = Tokenizer.of(unpack(name, true));
        int[] ids = tokenizer.encode("the fox and the crow", false, false);
        for (int cut = 1; cut < ids.length; cut++) {
            StringBuilder text = new StringBuilder(tokenizer.decode(Arrays.copyOf(ids, cut), false));
            TokenStream rest = tokenizer.continuation(false);
            for (int i = cut; i < ids.length; i++) {
                text.append(rest.push(ids[i]));
            }
            assertThat(text.append(rest.finish()).toString()).isEqualTo("the fox and the crow");
        }
    }

    /** SentencePiece knows no special tokens in a text, and nothing but its model. */
    @ParameterizedTest
    @ValueSource(strings = {"spm-bpe", "spm-bpe-bare", "spm-bpe-nfkc", "spm-unigram", "spm-unigram-bytes"})
    void equalsSentencePiece(String name) throws IOException {
        Vocabulary vocabulary = unpack(name, false);
        Vocabulary again = GoldenCases.throughGguf(vocabulary);
        assertThat(again).isEqualTo(vocabulary);
        JsonNode expected = golden(name).get("sentencepiece_ids");
        SoftAssertions all = new SoftAssertions();
        List<JsonNode> texts = GoldenCases.lines("tiny.encode.jsonl");
        for (Tokenizer tokenizer : List.of(Tokenizer.of(vocabulary), Tokenizer.of(again))) {
            for (int i = 0; i < texts.size(); i++) {
                String text = texts.get(i).get("text").stringValue();
                all.assertThat(tokenizer.encode(text, false, false)).as("ids of %s", texts.get(i)).isEqualTo(ids(expected.get(i)));
            }
        }
        all.assertAll();
    }

    @ParameterizedTest
    @CsvSource({
        "llama-bpe,llama-bpe,LLAMA3", "gpt-2,gpt-2,GPT2", "qwen2,qwen2,QWEN2", "stablelm2,stablelm2,STABLELM2", "smollm,smollm,SMOLLM",
        "command-r,command-r,COMMAND_R", "mpt,mpt,MPT", "falcon,falcon,FALCON", "deepseek-llm,deepseek-llm,DEEPSEEK_LLM",
        "deepseek-coder,deepseek-coder,DEEPSEEK_CODER", "deepseek-v3,deepseek-v3,DEEPSEEK_V3", "gpt-4o,gpt-4o,GPT4O",
        "tekken,tekken,TEKKEN", "other-lookaround,default,OTHER", "other-gap,default,OTHER", "spm-bpe,default,SENTENCE_PIECE",
        "spm-bpe-bare,default,SENTENCE_PIECE", "spm-bpe-first,default,OTHER", "spm-unigram,default,OTHER"
    })
    void hasTheNameThatLlamaCppKnows(String name, String label, PreTokenizer preTokenizer) throws IOException {
        Vocabulary vocabulary = unpack(name, true);
        assertThat(vocabulary.preTokenizer()).isEqualTo(preTokenizer);
        Map<String, GgufValue> metadata = vocabulary.toGguf();
        assertThat(metadata.get("tokenizer.ggml.pre")).isEqualTo(GgufValue.of(label));
        // Gemma's form of SentencePiece does nothing else than what the name says, but says it otherwise.
        boolean own = preTokenizer == PreTokenizer.OTHER || name.equals("spm-bpe-bare");
        assertThat(metadata.containsKey("tokenizer.tern.pipeline")).isEqualTo(own);
        assertThat(vocabulary.notes().toString().contains("other programs use a default")).isEqualTo(preTokenizer == PreTokenizer.OTHER);
    }

    static void unpack(String name, Path folder) throws IOException {
        Files.write(folder.resolve("tokenizer.json"), gunzip(PIPELINES.resolve(name).resolve("tokenizer.json.gz")));
    }

    private Vocabulary unpack(String name, boolean json) throws IOException {
        Path from = PIPELINES.resolve(name);
        if (json) {
            unpack(name, folder);
        }
        if (Files.exists(from.resolve("tokenizer.model"))) {
            Files.copy(from.resolve("tokenizer.model"), folder.resolve("tokenizer.model"));
        }
        return Vocabulary.ofCheckpoint(folder, 1500);
    }

    private static ObjectNode golden(String name) throws IOException {
        return JsonFile.parse(gunzip(PIPELINES.resolve(name).resolve("golden.json.gz")), name);
    }

    private static byte[] gunzip(Path file) throws IOException {
        try (GZIPInputStream stream = new GZIPInputStream(Files.newInputStream(file))) {
            return stream.readAllBytes();
        }
    }

    private static int[] ids(JsonNode list) {
        return IntStream.range(0, list.size()).map(i -> list.get(i).intValue()).toArray();
    }
}
