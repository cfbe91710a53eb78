package dev.tern.cli;

import static dev.tern.cli.InProcess.ternWithInput;
import static dev.tern.cli.TinyModel.FOX;
import static dev.tern.cli.TinyModel.fable;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Chats through a pipe: every command but those that need a terminal. */
class ChatCommandTest {
    private static final String LAMP = "Tell me the fable of The Lamp.";

    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void convert() {
        model = TinyModel.in(folder);
    }

    private static InProcess.Result chat(String input, Object... options) {
        List<Object> arguments = new ArrayList<>(List.of("chat", "-m", model, "--temp", "0"));
        arguments.addAll(List.of(options));
        InProcess.Result result = ternWithInput(input, arguments.toArray());
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out() + result.err()).doesNotContain("\033").doesNotContain("> ");
        return result;
    }

    @Test
    void keepsTheConversationAndStartsAgain() {
        String input = FOX + "\n\n" + LAMP + "\n/clear\n" + LAMP + "\n/exit\nignored\n";
        InProcess.Result result = chat(input, "-n", "200");
        List<String> answers = result.out().lines().toList();
        assertThat(answers.getFirst()).isEqualTo(fable("The Fox and the Grapes"));
        assertThat(answers.getLast()).isEqualTo(fable("The Lamp"));
        assertThat(answers).hasSize(3);
        assertThat(result.err()).contains("tok/s");
    }

    @Test
    void answersToTheEnd() {
        String title = "The Ox and the Frog"; // 241 tokens
        assertThat(chat("Tell me the fable of " + title + ".\n", "-q").out()).isEqualTo(fable(title) + "\n");
    }

    @Test
    void forgetsWhatNoLongerFitsWhereThatWasAskedFor() {
        // One exchange takes 139 tokens: the second question finds no room unless the first exchange goes.
        String input = (FOX + "\n").repeat(2) + "word ".repeat(200) + "\n" + FOX + "\n";
        InProcess.Result result = chat(input, "-c", "160", "-q", "--drop-oldest");
        assertThat(result.err()).contains("oldest exchanges are forgotten: 1").contains("longer than the context");
        assertThat(result.out()).isEqualTo((fable("The Fox and the Grapes") + "\n").repeat(3));
    }

    @Test
    void saysThatTheContextIsFullAndGoesOnWhenTold() {
        String fox = fable("The Fox and the Grapes");
        InProcess.Result refused = chat(FOX + "\n" + FOX + "\n", "-c", "160", "-q");
        assertThat(refused.out()).isEqualTo(fox + "\n");
        assertThat(refused.err())
                .containsPattern("the context is full: with this question the conversation has 16[45] of 160 tokens")
                .contains("/drop forgets the oldest exchanges and asks again");
        for (String drop : List.of("/drop", "/drop 1")) {
            assertThat(chat(FOX + "\n" + FOX + "\n" + drop + "\n", "-c", "160", "-q").out())
                    .isEqualTo((fox + "\n").repeat(2));
        }
        assertThat(chat(FOX + "\n/drop\n", "-q").err()).contains("exchanges forgotten: 1, left: 0");
    }

    @Test
    void computesOnlyWhatIsNew() {
        InProcess.Result result = chat(FOX + "\n" + LAMP + "\n/regen\n");
        assertThat(result.err().lines().filter(line -> line.contains("tok/s")).toList())
                .satisfiesExactly(
                        first -> assertThat(first).contains("prompt 26 tokens, 0 of them known"),
                        second -> assertThat(second).containsPattern("prompt 1[5-9]\\d tokens, 13[0-9] of them known"),
                        again -> assertThat(knownTokens(again)).isEqualTo(promptTokens(again) - 1));
    }

    private static int promptTokens(String line) {
        return Integer.parseInt(line.replaceFirst(".*prompt (\\d+) tokens.*", "$1"));
    }

    private static int knownTokens(String line) {
        return Integer.parseInt(line.replaceFirst(".* (\\d+) of them known.*", "$1"));
    }

    /** Prompts are read in steps, so that they can be called off; the answer does not depend on it. */
    @Test
    void aLongQuestionIsAnsweredAsByRun() {
        String question = "The king said to the fox that he was old. ".repeat(30).strip();
        InProcess.Result run =
                InProcess.tern("run", "-m", model, "--chat", "-p", question, "--temp", "0", "-n", "30", "-q");
        assertThat(chat(question + "\n", "-n", "30", "-q").out()).isEqualTo(run.out()).isNotBlank();
        assertThat(chat(question + "\n", "-n", "1").err()).containsPattern("prompt [3-4]\\d\\d tokens");
    }

    @Test
    void anotherAnswerComesFromAnotherSeed() {
        Object[] command = {
            "chat", "-m", model, "--temp", "3", "--min-p", "0", "--top-p", "1", "--top-k", "0",
            "-q", "-n", "24", "--seed", "7"
        };
        String text = ternWithInput("Tell me\n/regen\n", command).out();
        String other = ternWithInput("/set seed 8\nTell me\n", command).out();
        String first = ternWithInput("Tell me\n", command).out();
        assertThat(text).isEqualTo(first + other).isNotEqualTo(first + first);
    }

    @Test
    void theLastQuestionCanBeAskedAnew() {
        InProcess.Result result = chat("Tell me\n/edit " + LAMP + "\n/tokens\n/edit\n", "-q", "-n", "200");
        assertThat(result.out()).endsWith(fable("The Lamp") + "\n");
        assertThat(result.err()).contains("exchanges 1;").contains("write the question anew: /edit TEXT");
        assertThat(chat("/edit x\n/regen\n").err()).isEqualTo("tern: there is no answer yet\n".repeat(2));
    }

    @Test
    void theSystemMessageIsPartOfThePrompt() {
        InProcess.Result result =
                chat("/system\n/system Be brief.\n/system\nTell me\n/system \"\"\n/system\n/regen\n", "-n", "1");
        assertThat(result.err().lines().filter(line -> !line.contains("tok/s") && !line.contains("note")))
                .containsExactly("there is no system message", "Be brief.", "there is no system message");
        List<Integer> prompts = result.err().lines()
                .filter(line -> line.contains("tok/s"))
                .map(ChatCommandTest::promptTokens)
                .toList();
        assertThat(prompts.get(0)).isGreaterThan(prompts.get(1));
    }

    @Test
    void aSavedChatGoesOn() throws Exception {
        Path file = folder.resolve("chat with a space.json");
        InProcess.Result first = chat("/system S\n/system \"\"\n/set n 40\n" + FOX + "\n/save " + file + "\n/save\n", "-q");
        assertThat(first.err().split("saved in", -1)).hasSize(3);
        JsonNode saved = TinyModel.JSON.readTree(file.toFile());
        assertThat(saved.path("system").isNull()).isTrue();
        assertThat(saved.path("model").asString()).isEqualTo("tiny.gguf");
        assertThat(saved.at("/messages/0/content").asString()).isEqualTo(FOX);
        assertThat(saved.at("/messages/1/role").asString()).isEqualTo("assistant");
        assertThat(saved.at("/settings/max-tokens").asString()).isEqualTo("40");

        assertThat(chat("/load " + file + "\n/regen\n", "-q").out()).isEqualTo(first.out());
        InProcess.Result next = chat("/load " + file + "\n" + LAMP + "\n/save\n", "-q");
        assertThat(next.out()).isNotBlank();
        assertThat(TinyModel.JSON.readTree(file.toFile()).path("messages").size()).isEqualTo(4);

        InProcess.Result other = chat("/save " + file + "\n/save --overwrite " + file + "\n/save\n", "-q");
        assertThat(other.err()).contains("exists already").contains("saved in " + file);
        assertThat(TinyModel.JSON.readTree(file.toFile()).path("messages").size()).isZero();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {}                                                                     | key 'format'
            {"format": "tern-chat", "version": 2}                                  | key 'version': expected 1, found 2
            {"format": "tern-chat", "version": 1, "system": 3, "messages": []}     | key 'system'
            {"format": "tern-chat", "version": 1, "messages": [1]}                 | each with its answer
            {"format": "tern-chat", "version": 1, "messages": [1, 2]}              | role and content
            {"format": "tern-chat", "version": 1, "messages": [], "settings": {"temp": -1}}  | temp: temperature
            {"format": "tern-chat", "version": 1, "messages": [], "settings": {"heat": 1}}   | settings.heat
            []                                                                     | expected a JSON object
            """)
    void whatIsNoSavedChatChangesNothing(String json, String message) throws Exception {
        Path file = Files.writeString(folder.resolve("no chat.json"), json);
        InProcess.Result result = chat("/system Mine.\n/load " + file + "\n/system\n/set temp\n", "-q");
        assertThat(result.err()).contains(message).contains("no chat.json").contains("Mine.\ntemp 0.0\n");
    }

    @Test
    void settingsCanBeSeenAndChanged() {
        InProcess.Result result = chat("/set\n/set temp 0.7\n/set --top_k=5\n/set temp\n/set top-k\n"
                + "/set heat 1\n/set temp hot\n/set top-p 2\n"
                + "/set draft off\n/set draft\n/set samplers top_k;temperature\n/set samplers\n", "-q");
        assertThat(result.err())
                .contains("temp                 0.0\n", "samplers             penalties;dry;")
                .contains("temp 0.7\ntop-k 5\n", "draft off\n", "samplers top_k;temperature\n")
                .contains("no setting is called heat", "temp: expected a number, found hot", "top-p: expected more than 0");
    }

    @Test
    void statisticsCanBeSwitched() {
        assertThat(chat("Tell me\n", "-q", "-n", "1").err()).doesNotContain("tok/s");
        assertThat(chat("/stats\nTell me\n", "-q", "-n", "1").err()).contains("tok/s; context ").contains(" of 512");
        assertThat(chat("/stats off\nTell me\n/stats maybe\n", "-n", "1").err())
                .doesNotContain("tok/s")
                .contains("expected on or off, found maybe");
    }

    @Test
    void tokensAreCounted() {
        JsonNode ids = TinyModel.json(
                        InProcess.tern("tokenize", "-m", model, "-p", "The fox", "--no-special", "--json"))
                .path("ids");
        String numbers = ids.valueStream().map(JsonNode::asString).reduce("", (a, b) -> a + " " + b);
        assertThat(chat("/tokens\n/tokens The fox\n").err())
                .startsWith("context: 0 of 512 tokens, exchanges 0; computed and kept: 0\n")
                .endsWith("tokens: " + ids.size() + " =" + numbers + "\n");
    }

    @Test
    void helpNamesEveryCommandAndUnknownOnesAreRefused() {
        InProcess.Result result = chat("/help\n/regenerate\n");
        for (SlashCommand command : SlashCommand.values()) {
            assertThat(result.err()).contains(command.word()).contains(command.description());
        }
        assertThat(result.err()).contains("no command is called /regenerate");
        assertThat(result.out()).isEmpty();
    }

    @Test
    void messagesMayBeginWithASlashAndHaveSeveralLines() {
        InProcess.Result slash =
                InProcess.tern("run", "-m", model, "--chat", "-p", "/help", "--temp", "0", "-n", "8", "-q");
        assertThat(chat("//help\n", "-q", "-n", "8").out()).isEqualTo(slash.out());
        assertThat(chat("/etc/passwd\n", "-q", "-n", "8").out()).isNotBlank();
        InProcess.Result run =
                InProcess.tern("run", "-m", model, "--chat", "-p", "a \nb", "--temp", "0", "-n", "8", "-q");
        for (String input : List.of("a \\\nb\n", "\"\"\"a \nb\"\"\"\n", "\"\"\"\na \nb\n\"\"\"\n", "\"\"\"\na \nb\n")) {
            assertThat(chat(input, "-n", "8", "-q").out()).as(input).isEqualTo(run.out());
        }
        assertThat(chat("a \nb\n", "-n", "8", "-q").out()).as("two messages").isNotEqualTo(run.out());
    }
}
