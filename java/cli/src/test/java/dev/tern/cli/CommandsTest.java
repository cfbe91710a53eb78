package dev.tern.cli;

import static dev.tern.cli.InProcess.ONLINE;
import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.TESTDATA;
import static dev.tern.cli.InProcess.tern;
import static dev.tern.cli.InProcess.ternWithInput;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The whole way on the trained model: convert, inspect, validate, run, chat, logits, tokenize, perplexity, bench. */
class CommandsTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String FOX = "Tell me the fable of The Fox and the Grapes.";

    @TempDir
    static Path folder;

    private static Path model;
    private static InProcess.Result conversion;

    @BeforeAll
    static void convert() {
        model = folder.resolve("tiny.gguf");
        conversion = tern("convert", PACKED, "-o", model, "--outtype", "i2_s", "--validate", "--json");
    }

    @Test
    void autoSaysWhatItChoseAndForWhom() {
        InProcess.Result result = tern("convert", PACKED, "--dry-run", "--json");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.err()).contains("outtype auto: tq1_0; read by Tern, llama.cpp and bitnet.cpp");
        assertThat(json(result).path("outtype").asString()).isEqualTo("tq1_0");
        assertThat(json(result).path("embedding_type").asString()).isEqualTo("f16");
    }

    @Test
    void aGgufFileIsASourceToo() {
        Path back = folder.resolve("back.gguf");
        InProcess.Result result =
                tern("convert", model, "-o", back, "--outtype", "tq2_0", "--threads", "2", "--validate", "--json");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(json(result).path("format").asString()).isEqualTo("gguf");
        assertThat(json(result).path("validation").path("ok").asBoolean()).isTrue();
        assertThat(tern("validate", back, "--against", model).status()).isZero();
        assertThat(tern("convert", model, "-o", back, "--threads", "0").status()).isEqualTo(2);
    }

    /** What is written to a file is the whole report, T's hashes too, whatever is printed. */
    @Test
    void aReportOfAConversionIsTheSameInAFile() throws Exception {
        Path file = folder.resolve("report.json");
        InProcess.Result result =
                tern("convert", PACKED, "-o", folder.resolve("again.gguf"), "--outtype", "i2_s", "--report", file);
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).doesNotStartWith("{");
        JsonNode report = JsonMapper.builder().build().readTree(Files.readString(file));
        assertThat(report.path("sha256").asString()).isEqualTo(sha256(model));
        assertThat(report.path("tensors").findValuesAsString("sha256"))
                .hasSize(28)
                .allMatch(hash -> hash.matches("[0-9a-f]{64}"))
                .isEqualTo(json(conversion).path("tensors").findValuesAsString("sha256"));

        InProcess.Result plan = tern("convert", PACKED, "--dry-run", "--json", "--report", file);
        assertThat(plan.status()).as(plan.err()).isZero();
        assertThat(Files.readString(file)).isEqualTo(plan.out()).contains("\"outtype\"");
    }

    @Test
    void convertReportsWhatItWrote() throws Exception {
        assertThat(conversion.status()).as(conversion.err()).isZero();
        JsonNode report = json(conversion);
        assertThat(report.path("outtype").asString()).isEqualTo("i2_s");
        assertThat(report.path("format").asString()).isEqualTo("packed");
        assertThat(report.path("file_bytes").asLong()).isEqualTo(Files.size(model));
        assertThat(report.path("sha256").asString()).isEqualTo(sha256(model));
        assertThat(report.path("validation").path("ok").asBoolean()).isTrue();
        assertThat(report.path("validation").path("ternary_tensors").asInt()).isEqualTo(28);

        JsonNode golden = JSON.readTree(TESTDATA.resolve("golden/ternary_stats.json")).path("packed-u8");
        int compared = 0;
        for (JsonNode tensor : report.path("tensors")) {
            JsonNode expected = golden.path(tensor.path("source").asString());
            if (!expected.isMissingNode()) {
                assertThat(tensor.path("sha256").asString()).isEqualTo(expected.path("ternary_sha256").asString());
                assertThat(tensor.path("minus").asLong()).isEqualTo(expected.path("neg").asLong());
                assertThat(tensor.path("zero").asLong()).isEqualTo(expected.path("zero").asLong());
                assertThat((float) tensor.path("stored_scale").asDouble())
                        .isEqualTo((float) expected.path("scale").asDouble());
                compared++;
            }
        }
        assertThat(compared).isEqualTo(28);
    }

    @ParameterizedTest
    @CsvSource({
        "tq1_0, f16", "tq2_0, f16", "tl1, f16", "tl2, f16", "q2_k, q6_k", "q4_0, q8_0", "q8_0, f32", "bf16, bf16"
    })
    void everyOuttypeIsSmallEnoughValidAndRuns(String outtype, String embedding) {
        Path file = folder.resolve("tiny-" + outtype + ".gguf");
        InProcess.Result plan = tern(
                "convert", ONLINE, "--outtype", outtype, "--embedding-type", embedding, "--dry-run", "--json");
        assertThat(plan.status()).as(plan.err()).isZero();
        assertThat(file).doesNotExist();

        InProcess.Result result =
                tern("convert", ONLINE, "-o", file, "--outtype", outtype, "--embedding-type", embedding);
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(file).hasSize(json(plan).path("file_bytes").asLong());
        assertThat(result.out()).contains(outtype).contains("online").contains("sha256 ");

        InProcess.Result validation = tern("validate", file, "--against", ONLINE);
        assertThat(validation.status()).as(validation.err()).isZero();
        assertThat(validation.out()).startsWith("valid: 28 ternary tensors");
        assertThat(tern("run", "-m", file, "--chat", "-p", FOX, "--temp", "0", "-q").out())
                .isEqualTo(fable("The Fox and the Grapes") + "\n");
    }

    @Test
    void tilesOfAKernelConfigAreUsedAndShown() throws Exception {
        StringBuilder text = new StringBuilder();
        for (String shape : List.of("512 512", "128 512", "1536 512", "512 1536")) {
            String[] mk = shape.split(" ");
            text.append("[Kernels_").append(text.length()).append("]\nm = ").append(mk[0]);
            text.append("\nk = ").append(mk[1]).append("\nbm = 64\nbk = 96\nbmm = 32\n\n");
        }
        Path ini = Files.writeString(folder.resolve("kernel_config.ini"), text);
        Path file = folder.resolve("tiny-tiles.gguf");
        JsonNode report =
                json(tern("convert", PACKED, "-o", file, "--outtype", "tl2", "--kernel-config", ini, "--json"));
        assertThat(report.path("tiles").size()).isEqualTo(4);
        assertThat(report.path("tiles").path(3).toString())
                .isEqualTo("{\"format\":\"tl2\",\"m\":512,\"k\":1536,\"bm\":64,\"bk\":96,\"bmm\":32}");
        assertThat(tern("convert", PACKED, "--outtype", "tl2", "--kernel-config", ini, "--dry-run").out())
                .contains("512x1536 in tl2 tiles of 64/96/32");
        assertThat(tern("inspect", file).out()).contains("1536x512 in tl2 tiles of 64/96/32");
        assertThat(json(tern("inspect", file, "--json")).path("tiles")).isEqualTo(report.path("tiles"));
        assertThat(tern("validate", file, "--against", PACKED, "--kernel-config", ini).status()).isZero();
        Files.writeString(ini, text.toString().replace("bm = 64", "bm = 128"));
        InProcess.Result contradiction = tern("validate", file, "--kernel-config", ini);
        assertThat(contradiction.status()).isEqualTo(1);
        assertThat(contradiction.err()).contains(ini.toString()).contains("ternary.tl2.512x512").contains("64/96/32");
    }

    @Test
    void validateFindsTheWrongCheckpoint() {
        // The online checkpoint has the same ternary values, but scales that were not rounded to bf16.
        InProcess.Result result = tern("validate", model, "--against", ONLINE);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.out()).startsWith("NOT valid").contains("blk.0.attn_q.weight").contains("and 18 more");
        JsonNode report = json(tern("validate", model, "--against", ONLINE, "--json"));
        assertThat(report.path("ok").asBoolean(true)).isFalse();
        assertThat(report.path("problems").size()).isEqualTo(28);
        assertThat(json(tern("validate", model, "--json")).path("ok").asBoolean()).isTrue();
    }

    @Test
    void convertReplacesNothingUnasked() throws Exception {
        Path existing = Files.writeString(folder.resolve("existing.gguf"), "mine");
        InProcess.Result result = tern("convert", PACKED, "-o", existing);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains(existing.toString()).contains("exists").contains("--overwrite");
        assertThat(existing).hasContent("mine");
        assertThat(tern("convert", PACKED, "-o", existing, "--outtype", "i2_s", "--overwrite").status()).isZero();
        assertThat(existing).hasSameBinaryContentAs(model);
    }

    @Test
    void theChatTemplateCanBeAnother() throws Exception {
        assertThat(tern("run", "-m", model, "--chat", "--chat-template", "bitnet", "-p", FOX, "--temp", "0", "-q").out())
                .isEqualTo(fable("The Fox and the Grapes") + "\n");
        Path file = Files.writeString(folder.resolve("own.jinja"), "{{ bos_token }}{{ messages[0].content }}!");
        JsonNode run = json(tern("run", "-m", model, "--chat", "--chat-template", file, "-p", "a", "-n", "1", "--json"));
        JsonNode ids = json(tern("tokenize", "-m", model, "-p", "a!", "--json")).path("ids");
        assertThat(run.path("prompt_ids")).isEqualTo(ids);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "convert @packed -o out.gguf --outtype q9_z | 2 | q9_z",
        "convert @packed | 2 | --output",
        "convert @packed -o out.gguf --embedding-type q5_k | 2 | q5_k",
        "convert @packed -o @new --kernel-config x.ini | 2 | tl1 or tl2",
        "convert @packed -o @new --outtype i2_s --kernel-config x.ini | 2 | found i2_s",
        "convert @packed -o @new --outtype tl2 --kernel-config /no/such.ini | 1 | /no/such.ini",
        "convert @packed -o @new --outtype tl2 --kernel-config @model | 1 | expected a kernel_config.ini",
        "validate @model --kernel-config /no/such.ini | 1 | no TL1 or TL2",
        "inspect @model --kernel-config /no/such.ini | 1 | no TL1 or TL2",
        "inspect @packed --kernel-config /no/such.ini | 1 | is a checkpoint",
        "convert /no/such/folder -o @new | 1 | /no/such/folder",
        "convert @packed -o /no/such/folder/out.gguf | 1 | /no/such/folder",
        "convert @packed -o @new --arch nonsense | 1 | nonsense",
        "inspect /no/such.gguf | 1 | /no/such.gguf",
        "validate /no/such.gguf | 1 | /no/such.gguf",
        "run -m /no/such.gguf -p x | 1 | /no/such.gguf",
        "run -m @model | 2 | -p=TEXT",
        "run -m @model -p x -f y | 2 | mutually exclusive",
        "run -m @model -p x -n many | 2 | many",
        "run -m @model -p x -t 0 | 2 | --threads",
        "run -m @model -p x --temp -1 | 2 | temperature",
        "run -m @model -p x --cache-type f64 | 2 | f64",
        "run -m @model -p x --system y | 2 | --chat",
        "run -m @model -p x --chat-template chatml | 2 | needs --chat",
        "run -m @model -p x --chat --chat-template chatmel | 1 | one of bitnet, chatml, ",
        "chat -m @model --chat-template @model | 1 | too large for a chat template",
        "run -m @model -p x --draft sometimes | 2 | --draft",
        "run -m @model -p x --draft-max 64 | 2 | 0 to 63",
        "chat -m @model --draft-ngram 0 | 2 | n-gram",
        "run -m @model -f /no/such.txt | 1 | /no/such.txt",
        "run -m @model -c 4 -p 'A_long_prompt_that_does_not_fit' | 1 | longer than the context",
        "logits -m @model --tokens 1,99999 -o @new | 1 | 99999",
        "logits -m @model --tokens 1,x -o @new | 2 | x",
        "logits -m @model -p x -o @model | 2 | model",
        "logits -m @model -p x -o /no/such/folder/x.npy | 1 | /no/such/folder",
        "perplexity -m @model -f /no/such.txt | 1 | /no/such.txt",
        "tokenize -m @model -f /no/such.txt | 1 | /no/such.txt",
        "synth --like 70b -o @new | 2 | 70b",
        "bench -m @model -o xml | 2 | xml",
        "bench -m @model -t 0 | 2 | -t",
        "bench -m @model -t 1024 --pin | 1 | cannot be bound to processors",
        "run -m @model -p x -t 1024 --pin | 1 | cannot be bound to processors",
        "demo --fable nonsense | 2 | --list",
    })
    void saysWhatIsWrongAndLeavesNothing(String line, int status, String word) {
        Path fresh = folder.resolve("fresh");
        List<Object> arguments = new ArrayList<>();
        for (String argument : line.split(" ")) {
            arguments.add(argument.equals("@packed")
                    ? PACKED
                    : argument.equals("@model") ? model : argument.equals("@new") ? fresh : argument);
        }
        InProcess.Result result = tern(arguments.toArray());
        assertThat(result.status()).as(result.err()).isEqualTo(status);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).startsWith("tern: ").contains(word).doesNotContain("\tat ");
        assertThat(fresh).doesNotExist();
    }

    @Test
    void aDamagedModelIsTheInputsFault() throws Exception {
        byte[] bytes = Files.readAllBytes(model);
        Path half = Files.write(folder.resolve("half.gguf"), java.util.Arrays.copyOf(bytes, bytes.length / 2));
        for (String command : List.of("inspect", "validate")) {
            InProcess.Result result = tern(command, half);
            assertThat(result.status()).as(command + result.out()).isEqualTo(1);
        }
        InProcess.Result run = tern("run", "-m", half, "-p", "x");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("half.gguf").doesNotContain("\tat ");
    }

    @Test
    void validationsAreReportedInTextAndJson() throws Exception {
        Path report = model.resolveSibling("report.json");
        InProcess.Result validation = tern("validate", model, "--against", PACKED, "--report", report);
        assertThat(validation.status()).as(validation.err()).isZero();
        assertThat(validation.out())
                .contains("valid: 28 ternary tensors", "texts in many scripts: the same tokens")
                .contains("logits equal bit for bit", "sha256 " + sha256(model));
        JsonNode json = JsonMapper.builder().build().readTree(Files.readString(report));
        assertThat(json.path("ok").asBoolean()).isTrue();
        assertThat(json.path("sha256").asString()).isEqualTo(sha256(model));
        assertThat(json.at("/graph/bit_equal").asBoolean()).isTrue();
        assertThat(json.path("matrices")).hasSize(28);
        assertThat(json.at("/matrices/0/sha256").asString()).hasSize(64);
        assertThat(json.at("/totals/zero").asLong()).isPositive();
        assertThat(tern("validate", "-v", model, "--against", PACKED).out()).contains("blk.3.ffn_down.weight");
    }

    @Test
    void inspectNamesFindingsById() throws Exception {
        Path pointer = Files.writeString(model.resolveSibling("pointer.gguf"),
                "version https://git-lfs.github.com/spec/v1\n");
        InProcess.Result result = tern("inspect", pointer);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.out()).contains("[lfs-pointer]", "broken: 1 error");
        assertThat(json(tern("inspect", pointer, "--json")).at("/findings/0/id").asString()).isEqualTo("lfs-pointer");
        InProcess.Result good = tern("inspect", model, "--no-probe");
        assertThat(good.out()).contains("nothing is wrong").doesNotContain("nats");
        assertThat(json(tern("inspect", model, "--json")).at("/probe/negative_log_likelihood").asDouble())
                .isBetween(1.0, 6.0);
    }

    @Test
    void inspectTellsCheckpointsAndFiles() {
        InProcess.Result file = tern("inspect", model, "--json");
        assertThat(file.status()).as(file.err()).isZero();
        assertThat(json(file).isObject()).isTrue();
        assertThat(tern("inspect", model).out()).contains("bitnet-b1.58").contains("I2_S");
        assertThat(tern("inspect", model, "--tensors").out()).contains("blk.3.ffn_down.weight");
        InProcess.Result checkpoint = tern("inspect", PACKED);
        assertThat(checkpoint.status()).as(checkpoint.err()).isZero();
        assertThat(checkpoint.out()).contains("packed");
        assertThat(json(tern("inspect", ONLINE, "--json")).isObject()).isTrue();
    }

    @Test
    void runAsJsonHasEverything() {
        JsonNode fable = golden("The Fox and the Grapes");
        JsonNode result = json(tern("run", "-m", model, "--chat", "-p", FOX, "--temp", "0", "--json", "-n", "200"));
        assertThat(result.path("prompt_ids")).isEqualTo(fable.path("ids"));
        assertThat(result.path("ids")).isEqualTo(fable.path("greedy_ids"));
        assertThat(result.path("text").asString()).isEqualTo(fable.path("greedy_text").asString());
        assertThat(result.path("stop_reason").asString()).isEqualTo("end_token");
        assertThat(result.path("timings").path("predicted_per_second").asDouble()).isPositive();
        assertThat(result.path("timings").path("prompt_n").asInt()).isEqualTo(26);
    }

    @Test
    void draftsAreCountedAndChangeNoText() throws Exception {
        String fable = fable("The Fox and the Grapes");
        Path prompt = Files.writeString(folder.resolve("quoted.txt"), fable + " " + fable.substring(0, 60));
        Object[] command = {"run", "-m", model, "-f", prompt, "-n", "60", "--temp", "0", "--ignore-eos"};
        InProcess.Result off = tern(and(command, "--draft", "off"));
        InProcess.Result on = tern(and(command, "--draft", "on", "--draft-max", "5", "--draft-ngram", "1"));
        assertThat(on.out()).isEqualTo(off.out()).isEqualTo(tern(command).out()).isNotBlank();
        assertThat(on.err()).containsPattern("of [1-9]\\d* guessed [1-9]\\d* were right");
        assertThat(off.err()).doesNotContain("guessed");
        JsonNode timings = json(tern(and(command, "--draft", "on", "--json"))).path("timings");
        assertThat(timings.path("draft_n_accepted").asInt()).isBetween(1, timings.path("draft_n").asInt());
        JsonNode none = json(tern(and(command, "--draft-max", "0", "--json"))).path("timings");
        assertThat(none.path("draft_n").asInt(-1)).isZero();
    }

    @Test
    void stagesOfSamplingUnderLlamaCppsNames() {
        Object[] command = {"run", "-m", model, "-p", "The king said", "-n", "12", "--seed", "7", "--json"};
        JsonNode plain = json(tern(command)).path("ids");
        // Off as they are by default, and in the default order: the same tokens.
        assertThat(json(tern(and(command, "--typical", "1", "--xtc-probability", "0", "--xtc-threshold", "0.2",
                        "--presence-penalty", "0", "--frequency-penalty", "0", "--dry-multiplier", "0",
                        "--top-nsigma", "-1", "--dynatemp-range", "0", "--mirostat", "0",
                        "--samplers", "penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature")))
                .path("ids"))
                .isEqualTo(plain);
        int first = plain.get(0).asInt();
        for (Object[] stage : new Object[][] {
            {"--logit-bias", first + "-inf"},
            {"-l", "900+30", "-l", "901-1.5"},
            {"--samplers", "temperature", "--temp", "30"},
            {"--mirostat", "2", "--mirostat-ent", "12", "--mirostat-lr", "0.5", "--temp", "3"},
            {"--typical", "0.3", "--temp", "5", "--top-k", "0", "--top-p", "1", "--min-p", "0"},
            {"--xtc-probability", "1", "--xtc-threshold", "0.001", "--min-keep", "1"},
            {"--dynatemp-range", "3", "--dynatemp-exp", "0.1", "--temp", "5", "--min-p", "0"},
            {"--presence-penalty", "2", "--frequency-penalty", "2", "--repeat-last-n", "-1", "--temp", "2"},
        }) {
            assertThat(json(tern(and(command, stage))).path("ids")).as("%s", stage[0]).isNotEqualTo(plain);
        }
        Object[] greedy = {"run", "-m", model, "-p", "no no no no no no no no", "-n", "6", "--temp", "0", "--json", "-l",
            "0-inf"};
        JsonNode repeated = json(tern(greedy)).path("ids");
        assertThat(json(tern(and(greedy, "--dry-multiplier", "50", "--dry-base", "2", "--dry-allowed-length", "1",
                        "--dry-penalty-last-n", "20", "--dry-sequence-breaker", "none")))
                .path("ids"))
                .isNotEqualTo(repeated);
    }

    @Test
    void endTokensCanBeBanned() {
        Object[] command = {"run", "-m", model, "--chat", "-p", FOX, "--temp", "0", "--json", "-n", "150"};
        int end = golden("The Fox and the Grapes").path("end_id").asInt();
        JsonNode banned = json(tern(and(command, "--ban-eos")));
        assertThat(banned.path("stop_reason").asString()).isEqualTo("max_tokens");
        assertThat(banned.path("ids").valueStream().map(JsonNode::asInt)).hasSize(150).doesNotContain(end);
        JsonNode ignored = json(tern(and(command, "--ignore-eos")));
        assertThat(ignored.path("ids").valueStream().map(JsonNode::asInt)).hasSize(150).contains(end);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --samplers top_x         | sampler: expected one of penalties
            --logit-bias five        | logit bias: expected a token id
            --logit-bias 5+inf       | logit bias
            --mirostat 3             | mirostat: expected 0 (off), 1 or 2, found 3
            --typical 0              | typical-p
            --dry-base 0.5           | DRY base
            --ban-eos --ignore-eos   | exclude each other
            """)
    void wrongSamplingOptionsAreFaultsOfTheCommandLine(String options, String message) {
        InProcess.Result result = tern(and(new Object[] {"run", "-m", model, "-p", "x"}, (Object[]) options.split(" ")));
        assertThat(result.err()).contains(message);
        assertThat(result.status()).isEqualTo(ExitStatus.USAGE);
    }

    private static Object[] and(Object[] command, Object... more) {
        return Stream.of(command, more).flatMap(Stream::of).toArray();
    }

    @Test
    void aRenderedPromptGetsNoSecondBos() {
        JsonNode fable = golden("The Fox and the Grapes");
        String prompt = fable.path("prompt").path("text").asString();
        JsonNode result = json(tern("run", "-m", model, "-p", prompt, "--temp", "0", "--json", "-n", "1"));
        assertThat(result.path("prompt_ids")).isEqualTo(fable.path("ids"));
    }

    @Test
    void runStreamsTheSameTextWithTimingsOnStderr() throws Exception {
        Path prompt = Files.writeString(folder.resolve("prompt.txt"), FOX + "\n");
        InProcess.Result result = tern("run", "-m", model, "--chat", "-f", prompt, "--temp", "0");
        assertThat(result.out()).isEqualTo(fable("The Fox and the Grapes") + "\n");
        assertThat(result.err()).contains("tok/s").contains("end_token");
        InProcess.Result stopped =
                tern("run", "-m", model, "--chat", "-f", prompt, "--temp", "0", "--stop", "bunches", "--json");
        assertThat(json(stopped).path("text").asString()).isEqualTo("A hungry Fox saw some fine ");
        assertThat(json(stopped).path("stop_reason").asString()).isEqualTo("stop_string");
        InProcess.Result cut = tern("run", "-m", model, "--chat", "-f", prompt, "--temp", "0", "-n", "3", "--json");
        assertThat(json(cut).path("ids").size()).isEqualTo(3);
        assertThat(json(cut).path("stop_reason").asString()).isEqualTo("max_tokens");
    }

    @Test
    void theSameSeedGivesTheSameText() {
        Object[] command = {"run", "-m", model, "-p", "The king said", "-n", "20", "--seed", "7", "-q"};
        assertThat(tern(command).out()).isEqualTo(tern(command).out()).isNotBlank();
        JsonNode unseeded = json(tern("run", "-m", model, "-p", "The king said", "-n", "20", "--json"));
        JsonNode again = json(tern(
                "run", "-m", model, "-p", "The king said", "-n", "20", "--seed", unseeded.path("seed").asLong(), "--json"));
        assertThat(again.path("text")).isEqualTo(unseeded.path("text"));
    }

    @Test
    void chatKeepsTheConversationAndStartsAgain() {
        String input = FOX + "\n\nTell me the fable of The Lamp.\n/clear\nTell me the fable of The Lamp.\n/exit\nignored\n";
        InProcess.Result result = ternWithInput(input, "chat", "-m", model, "--temp", "0", "-n", "200");
        assertThat(result.status()).as(result.err()).isZero();
        List<String> answers = result.out().lines().toList();
        assertThat(answers.getFirst()).isEqualTo(fable("The Fox and the Grapes"));
        assertThat(answers.getLast()).isEqualTo(fable("The Lamp"));
        assertThat(answers).hasSize(3);
        assertThat(result.err()).contains("tok/s").doesNotContain(">");
    }

    @Test
    void chatAnswersToTheEnd() {
        String title = "The Ox and the Frog"; // 241 tokens
        InProcess.Result result =
                ternWithInput("Tell me the fable of " + title + ".\n", "chat", "-m", model, "--temp", "0", "-q");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).isEqualTo(fable(title) + "\n");
    }

    @Test
    void chatForgetsWhatNoLongerFits() {
        // One exchange takes 139 tokens: the second question finds no room unless the first exchange goes.
        String input = (FOX + "\n").repeat(2) + "word ".repeat(200) + "\n" + FOX + "\n";
        InProcess.Result result = ternWithInput(input, "chat", "-m", model, "-c", "160", "--temp", "0", "-q");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.err()).contains("oldest exchanges are forgotten").contains("longer than the context");
        String fable = fable("The Fox and the Grapes");
        assertThat(result.out()).isEqualTo((fable + "\n").repeat(3));
    }

    @Test
    void logitsAreThoseOfTransformers() throws Exception {
        JsonNode prompt = JSON.readTree(TESTDATA.resolve("golden/golden.json")).path("prompts").path(0);
        List<String> ids = new ArrayList<>();
        prompt.path("ids").forEach(id -> ids.add(id.asString()));
        Path file = folder.resolve("logits.npy");

        InProcess.Result result = tern(
                "logits", "-m", model, "--tokens", String.join(",", ids), "--cache-type", "f32", "-o", file);

        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).isEmpty();
        Npy found = Npy.read(file);
        Npy expected = Npy.read(TESTDATA.resolve("golden/last_logits.packed-u8.npy"));
        assertThat(found.rows).isEqualTo(ids.size());
        assertThat(found.columns).isEqualTo(4096);
        for (int token = 0; token < found.columns; token++) {
            // testdata/README.md section 4: 0.17 between transformers and an exact integer engine
            assertThat(found.at(ids.size() - 1, token)).isCloseTo(expected.at(0, token), within(0.25f));
        }
    }

    @Test
    void perplexityInWords() throws Exception {
        String text = Files.readString(TESTDATA.resolve("golden/heldout_text.txt")).substring(0, 4000);
        Path file = Files.writeString(folder.resolve("text.txt"), text);
        JsonNode result = json(tern("perplexity", "-m", model, "-f", file, "-c", "256", "--json"));
        assertThat(result.path("ppl").asDouble()).isBetween(20.0, 120.0);
        assertThat(Math.exp(result.path("nll").asDouble())).isCloseTo(result.path("ppl").asDouble(), within(1e-6));
        assertThat(result.path("n_ctx").asInt()).isEqualTo(256);
        assertThat(result.path("scored").asInt()).isPositive().isLessThan(result.path("tokens").asInt());
        assertThat(tern("perplexity", "-m", model, "-f", file, "-c", "256").out())
                .startsWith(String.format(java.util.Locale.ROOT, "perplexity %.4f", result.path("ppl").asDouble()));
        InProcess.Result tooLarge = tern("perplexity", "-m", model, "-f", file, "-c", "4096");
        assertThat(tooLarge.status()).isEqualTo(1);
    }

    @Test
    void tokenizeReadsTheFileAsItReadsTheCheckpoint() {
        assertThat(tern("tokenize", "-m", model, "-p", FOX, "--json").out())
                .isEqualTo(tern("tokenize", PACKED, "-p", FOX, "--json").out());
    }

    @Test
    void faultsInATextAreInWords() throws Exception {
        Path lines = Files.writeString(folder.resolve("lines.jsonl"), "{\"text\": \"x\"}\n\n");
        InProcess.Result blank = tern("tokenize", "-m", model, "--jsonl", lines);
        assertThat(blank.status()).isEqualTo(1);
        assertThat(blank.err()).contains("line 2: expected an object with a string \"text\", found an empty line");
        InProcess.Result window = tern("perplexity", "-m", model, "-f", TESTDATA.resolve("golden/heldout_text.txt"), "-c", "1");
        assertThat(window.status()).isEqualTo(1);
        assertThat(window.err()).contains("expected at least 4, found 1");
    }

    @Test
    void synthMakesSmallOnesOfEveryKind() {
        Path falcon = folder.resolve("falcon");
        InProcess.Result synth = tern("synth", "--like", "falcon3-7b", "--small", "--layers", "1", "--vocab", "300",
                "-o", falcon);
        assertThat(synth.status()).as(synth.err()).isZero();
        assertThat(synth.out()).contains("falcon: llama, ").contains(", packed, in ");
        JsonNode inspection = json(tern("inspect", falcon, "--json"));
        assertThat(inspection.path("model").path("layers").asInt()).isEqualTo(1);
        assertThat(inspection.path("model").path("vocab_size").asInt()).isEqualTo(300);
        assertThat(inspection.path("model").path("head_dim").asInt()).isEqualTo(256);

        InProcess.Result config = tern("synth", "--config", PACKED.resolve("config.json"), "--small", "-o",
                folder.resolve("no"));
        assertThat(config.status()).isEqualTo(2);
        assertThat(config.err()).contains("--small needs --like");
        InProcess.Result none = tern("synth", "--like", "2b-4t", "--layers", "0", "-o", folder.resolve("no"));
        assertThat(none.status()).isEqualTo(2);
        assertThat(none.err()).contains("'--layers': expected 1 or more, found 0");
        assertThat(tern("synth", "--help").out().replaceAll("\\s+", ""))
                .contains("bitnet_b1_58-large,bitnet_b1_58-3B,Llama3-8B-1.58-100B-tokens,Falcon3-1B");
    }

    @Test
    void synthMakesAModelThatBenchMeasures() throws Exception {
        Path checkpoint = folder.resolve("synthetic");
        InProcess.Result synth = tern("synth", "--config", PACKED.resolve("config.json"), "--format", "packed", "-o", checkpoint);
        assertThat(synth.status()).as(synth.err()).isZero();
        Path file = folder.resolve("synthetic.gguf");
        assertThat(tern("convert", checkpoint, "-o", file).status()).isZero();

        InProcess.Result bench = tern("bench", "-m", file, "-p", "16", "-n", "4", "-t", "1,2", "-r", "2", "-o", "json");
        assertThat(bench.status()).as(bench.err()).isZero();
        JsonNode tests = json(bench);
        assertThat(tests.size()).isEqualTo(4);
        for (JsonNode test : tests) {
            assertThat(test.propertyNames())
                    .contains(
                            "build_commit", "cpu_info", "backends", "model_filename", "model_type", "model_size",
                            "model_n_params", "n_batch", "n_threads", "type_k", "type_v", "use_mmap", "layout", "pin",
                            "screen", "n_prompt", "n_gen", "test_time", "avg_ns", "stddev_ns", "avg_ts", "stddev_ts",
                            "samples_ns", "samples_ts");
            assertThat(test.path("samples_ns").size()).isEqualTo(2);
            int tokens = test.path("n_prompt").asInt() + test.path("n_gen").asInt();
            assertThat(test.path("samples_ts").path(0).asDouble())
                    .isCloseTo(tokens * 1e9 / test.path("samples_ns").path(0).asLong(), within(1e-6));
        }
        assertThat(tests.path(3).path("n_threads").asInt()).isEqualTo(2);
        assertThat(tests.path(3).path("n_gen").asInt()).isEqualTo(4);
        assertThat(tests.path(0).path("model_n_params").asLong()).isEqualTo(14_168_576L);

        List<String> rows = tern("bench", "-m", file, "-p", "8", "-n", "0", "-t", "1", "-r", "1")
                .out().lines().toList();
        assertThat(rows.get(2)).contains("pp8");
        List<String> csv = tern("bench", "-m", file, "-p", "8", "-n", "0", "-t", "1", "-r", "1", "-o", "csv")
                .out().lines().toList();
        assertThat(csv).hasSize(2);
        assertThat(csv.getFirst()).contains("n_prompt").doesNotContain("profile");
    }

    @Test
    void benchShowsWhatTheTimeGoesTo() {
        JsonNode tests = json(tern(
                "bench", "-m", model, "-p", "16", "-n", "4", "-t", "2", "-r", "1", "-b", "8", "--profile",
                "-o", "json"));
        assertThat(tests.size()).isEqualTo(2);
        for (JsonNode test : tests) {
            double shares = 0;
            for (JsonNode stage : test.path("profile")) {
                shares += stage.path("share").asDouble();
                boolean reads = stage.path("bytes").asLong() > 0;
                assertThat(stage.path("gb_s").asDouble() > 0).isEqualTo(reads);
                assertThat(reads)
                        .as(stage.path("stage").asString())
                        .isEqualTo(!List.of("norm, quantize", "waiting").contains(stage.path("stage").asString()));
            }
            assertThat(shares).isCloseTo(1, within(1e-9));
        }
        List<String> rows = tern("bench", "-m", model, "-p", "0", "-n", "4", "-t", "1", "-r", "1", "--profile")
                .out().lines().toList();
        assertThat(rows).anyMatch(row -> row.startsWith("tg4, 1 thread, one run: "));
        assertThat(rows).filteredOn(row -> row.startsWith("| gate, up ")).hasSize(1);
        List<String> csv = tern("bench", "-m", model, "-p", "8", "-n", "0", "-r", "1", "--profile", "-o", "csv")
                .out().lines().toList();
        assertThat(csv).hasSize(2);
        assertThat(csv.getFirst()).endsWith(",profile");
    }

    @Test
    void requireNativeRefusesTheReference() {
        // Whether native kernels are there is the build's matter; either way nothing is silent.
        InProcess.Result doctor = tern("doctor", "--json");
        boolean nativeKernels = !json(doctor).path("kernels").path("active").asString().equals("java");
        InProcess.Result result = tern("run", "-m", model, "-p", "x", "-n", "1", "--require-native");
        assertThat(result.status()).as(result.err()).isEqualTo(nativeKernels ? 0 : 1);
    }

    /** Each tier is tried in a process of its own, so this tells that what is said to run does. */
    @Test
    void doctorRunsEveryTierThatHasNoObstacle() {
        JsonNode tiers = json(tern("doctor", "--json")).path("kernels").path("tiers");
        for (JsonNode tier : tiers) {
            assertThat(tier.path("outcome").asString())
                    .as(tier.toString())
                    .isEqualTo(tier.path("obstacle").isNull() ? "runs" : "obstacle");
        }
        String text = tern("doctor").out();
        assertThat(text.contains("runs, and gives the reference's results")).isEqualTo(!tiers.isEmpty());
    }

    private static JsonNode json(InProcess.Result result) {
        assertThat(result.out()).as(result.err()).isNotEmpty();
        return JSON.readTree(result.out());
    }

    private static JsonNode golden(String title) {
        for (JsonNode fable : JSON.readTree(TESTDATA.resolve("golden/fables.json")).path("fables")) {
            if (fable.path("title").asString().equals(title)) {
                return fable;
            }
        }
        throw new AssertionError(title);
    }

    private static String fable(String title) {
        return golden(title).path("greedy_text").asString();
    }

    private static String sha256(Path file) throws Exception {
        byte[] digest = java.security.MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        return java.util.HexFormat.of().formatHex(digest);
    }

    /** A float32 matrix read by an independent hand. */
    private record Npy(int rows, int columns, ByteBuffer data) {
        static Npy read(Path file) throws IOException {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(bytes.getLong(0) & 0xFFFFFFFFFFFFFFL).isEqualTo(0x01_59_50_4D_55_4E_93L); // \x93NUMPY, version 1
            int length = bytes.getShort(8);
            assertThat((10 + length) % 64).isZero();
            String header = new String(bytes.array(), 10, length, StandardCharsets.US_ASCII);
            assertThat(header).contains("'descr': '<f4'").contains("'fortran_order': False").endsWith("\n");
            String[] shape = header.replaceAll("(?s).*\\((.*)\\).*", "$1").split(",\\s*");
            ByteBuffer data = bytes.slice(10 + length, bytes.capacity() - 10 - length).order(ByteOrder.LITTLE_ENDIAN);
            Npy npy = new Npy(Integer.parseInt(shape[0]), Integer.parseInt(shape[1]), data);
            assertThat(data.capacity()).isEqualTo(4 * npy.rows * npy.columns);
            return npy;
        }

        float at(int row, int column) {
            return data.getFloat(4 * (row * columns + column));
        }
    }
}
