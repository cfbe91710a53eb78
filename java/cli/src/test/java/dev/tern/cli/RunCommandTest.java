package dev.tern.cli;

import static dev.tern.cli.InProcess.tern;
import static dev.tern.cli.TinyModel.FOX;
import static dev.tern.cli.TinyModel.fable;
import static dev.tern.cli.TinyModel.golden;
import static dev.tern.cli.TinyModel.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Text from the trained model: what is chosen, and how it is reported. */
class RunCommandTest {
    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void convert() {
        model = TinyModel.in(folder);
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
    void requireNativeRefusesTheReference() {
        // Whether native kernels are there is the build's matter; either way nothing is silent.
        InProcess.Result doctor = tern("doctor", "--json");
        boolean nativeKernels = !json(doctor).path("kernels").path("active").asString().equals("java");
        InProcess.Result result = tern("run", "-m", model, "-p", "x", "-n", "1", "--require-native");
        assertThat(result.status()).as(result.err()).isEqualTo(nativeKernels ? 0 : 1);
    }

    private static Object[] and(Object[] command, Object... more) {
        return Stream.of(command, more).flatMap(Stream::of).toArray();
    }
}
