package dev.tern.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Content, reasoning and calls out of what models write, in pieces of any size. */
class AnswerReaderTest {
    private static final Set<String> TOOLS = Set.of("weather", "time");
    private static final String W = "{\"city\": \"Köln \uD83D\uDE00\", \"days\": [1, -2.5e3], \"deep\": {\"a\": null}}";

    private record Case(@Nullable ToolSyntax syntax, boolean begun, String text, String content, String reasoning, String... calls) {
        @Override
        public String toString() {
            return (syntax == null ? "no tools" : syntax.name()) + ": " + text;
        }
    }

    private static Case of(@Nullable ToolSyntax syntax, String text, String content, String reasoning, String... calls) {
        return new Case(syntax, false, text, content, reasoning, calls);
    }

    private static Case plain(ToolSyntax syntax, String text) {
        return of(syntax, text, text, "");
    }

    static Stream<Case> cases() {
        ToolSyntax h = ToolSyntax.HERMES;
        ToolSyntax l = ToolSyntax.LLAMA3;
        ToolSyntax m = ToolSyntax.MISTRAL;
        ToolSyntax d = ToolSyntax.DEEPSEEK;
        ToolSyntax g = ToolSyntax.GENERIC;
        String call = "{\"name\": \"weather\", \"arguments\": " + W + "}";
        String read = "weather" + W;
        return Stream.of(
                // no tools
                of(null, "Paris.", "Paris.", ""),
                of(null, "  Paris.\n ", "  Paris.\n ", ""),
                of(null, "", "", ""),
                of(null, "<tool_call>" + call + "</tool_call>", "<tool_call>" + call + "</tool_call>", ""),
                of(null, "<think>\nEasy.\n\n</think>\n\nParis. ", "Paris. ", "Easy."),
                of(null, "\n<think>Easy. <b> </thin </think>Paris.", "Paris.", "Easy. <b> </thin"),
                of(null, "<think>no end\n", "", "no end\n"),
                of(null, "<thinner", "<thinner", ""),
                of(null, "a <think>b</think>", "a <think>b</think>", ""),
                new Case(null, true, "Easy.\n</think>\nParis.", "Paris.", "Easy."),
                new Case(null, true, "<think>\nEasy.\n</think>\nParis.", "Paris.", "Easy."),
                // Hermes
                of(h, "<tool_call>\n" + call + "\n</tool_call>", "", "", read),
                of(h, "<tool_call>" + call, "", "", read),
                of(h, "Let me see.\n<tool_call>\n" + call + "\n</tool_call>\n<tool_call>\n{\"arguments\": {}, \"name\": \"time\"}\n</tool_call>\n",
                        "Let me see.\n", "", read, "time{}"),
                of(h, "<tool_call>\n" + call + "\n</tool_call>\nDone.", "Done.", "", read),
                of(h, "A <tool_call>" + call + "</tool_call> B", "A B", "", read),
                of(h, "<think>\nI <tool_call> it.\n</think>\n\n<tool_call>\n" + call + "\n</tool_call>", "", "I <tool_call> it.", read),
                of(h, "<tool_call>{\"name\": \"time\"}</tool_call>", "", "", "time{}"),
                of(h, "<tool_call>{\"name\": \"time\", \"arguments\": \"{\\\"a\\\": 1}\"}</tool_call>", "", "", "time{\"a\": 1}"),
                of(h, "<tool_call>{\"name\": \"time\", \"arguments\": null}</tool_call>", "", "", "time{}"),
                of(h, "<tool_call>{\"type\": \"function\", \"function\": {\"name\": \"time\", \"arguments\": {\"x\": true}}}</tool_call>",
                        "", "", "time{\"x\": true}"),
                of(h, "<tool_call>{\"name\": \"other\", \"arguments\": {}}</tool_call>", "", "", "other{}"),
                of(h, "<tool_call>\n" + call + "\n" + "{\"name\": \"time\", \"arguments\": {}}\n</tool_call>", "", "", read, "time{}"),
                of(h, "<tool_call>[" + call + ", " + call + "]</tool_call>", "", "", read, read),
                of(h, "<tool_call>{\"name\": \"time\", \"arguments\": {\"t\": \"a\nb\"}}</tool_call>", "", "", "time{\"t\": \"a\\nb\"}"),
                plain(h, "<tool_call>"), plain(h, "<tool_call> not JSON </tool_call>"), plain(h, "text with <tool and <tool_cal"),
                plain(h, "<tool_call>{\"name\": 5, \"arguments\": {}}</tool_call>"),
                plain(h, "<tool_call>{\"arguments\": {}}</tool_call>"),
                plain(h, "<tool_call>{\"name\": \"time\", \"arguments\": [1]}</tool_call>"),
                plain(h, "<tool_call>{\"name\": \"time\", "), plain(h, "<tool_call>[]</tool_call> "),
                of(h, "<tool_call>oops <tool_call>" + call + "</tool_call>", "<tool_call>oops", "", read),
                plain(h, "{\"name\": \"weather\", \"arguments\": {}}"),
                // broken within the arguments: told, and then content
                of(h, "<tool_call>{\"name\": \"time\", \"arguments\": {\"a\": oops}}</tool_call>",
                        "<tool_call>{\"name\": \"time\", \"arguments\": {\"a\": oops}}</tool_call>", ""),
                of(h, "So:\n<tool_call>{\"name\": \"time\", \"arguments\": {\"a\": 1", "So:\n<tool_call>{\"name\": \"time\", \"arguments\": {\"a\": 1", ""),
                // Llama
                of(l, "{\"name\": \"weather\", \"parameters\": " + W + "}", "", "", read),
                of(l, "\n{\"type\": \"function\", \"name\": \"time\", \"parameters\": {}}", "", "", "time{}"),
                of(l, "<|python_tag|>{\"name\": \"time\", \"parameters\": {}}; {\"name\": \"weather\", \"parameters\": {}}", "", "", "time{}", "weather{}"),
                of(l, "{\"name\": \"time\", \"parameters\": {}} and so on", "and so on", "", "time{}"),
                plain(l, "{\"name\": \"nobody\", \"parameters\": {}}"), plain(l, "{\"a\": 1}"), plain(l, "{"), plain(l, "[1, 2]"),
                plain(l, "It is {\"name\": \"time\", \"parameters\": {}}"), plain(l, "<|python_tag|>print(1)"),
                // Mistral
                of(m, "[TOOL_CALLS] [{\"name\": \"time\", \"arguments\": {}, \"id\": \"abcdefghi\"}, " + call + "]", "", "", "time{}", read),
                of(m, "[TOOL_CALLS][{\"id\": \"ABCDEFGHI\", \"name\": \"time\", \"arguments\": {}}]", "", "", "time{}"),
                of(m, "I look. [TOOL_CALLS] " + call, "I look.", "", read),
                plain(m, "[TOOL_CALLS] nothing"), plain(m, "[TOOL"),
                of(m, "[TOOL_CALLS] [" + call + ", oops]", ", oops]", "", read),
                of(ToolSyntax.MISTRAL_NAMED, "[TOOL_CALLS]weather[ARGS]" + W + "[TOOL_CALLS]time[ARGS]{}", "", "", read, "time{}"),
                // DeepSeek
                of(d, "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n" + W
                        + "\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>time\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
                        "", "", read, "time{}"),
                plain(d, "<｜tool▁calls▁begin｜> nothing"),
                of(ToolSyntax.DEEPSEEK_V31, "ok<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>time<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
                        "ok", "", "time{}"),
                of(ToolSyntax.FUNCTIONARY, "<function=time>{\"a\": 1}</function>", "", "", "time{\"a\": 1}"),
                plain(ToolSyntax.FUNCTIONARY, "<function=time>oops</function>"),
                of(ToolSyntax.PHI, "<|tool_call|>[" + call + "]<|/tool_call|>", "", "", read),
                // bare objects in a fence
                of(g, "```json\n" + call + "\n```", "", "", read), of(l, " ```\n" + call + "\n```\nSo.", "So.", "", read),
                of(g, "```tool_call\n" + call + "\n" + call + "```", "", "", read, read), of(g, "```json\n" + call, "", "", read),
                of(g, "<think>Hm.</think>\n```json\n[" + call + "]\n```", "", "Hm.", read),
                plain(g, "```json\n{\"a\": 1}\n```"), plain(g, "```python\nprint()\n```"), plain(g, "``"), plain(g, "` {}"),
                plain(g, "```"), plain(g, "```jso"), plain(g, "```json\n"), plain(g, "See:\n```json\n" + call + "\n```"),
                plain(h, "```json\n" + call + "\n```"),
                of(g, "```json\n{\"name\": \"time\", \"arguments\": {oops}}\n```\n<tool_call>" + call + "</tool_call>.",
                        "```json\n{\"name\": \"time\", \"arguments\": {oops}}\n```.", "", read),
                of(g, "```\n<tool_call>" + call + "</tool_call>", "```", "", read),
                // generic
                of(g, call, "", "", read), of(g, "<tool_call>" + call + "</tool_call>", "", "", read), plain(g, "{\"name\": \"x\"}"));
    }

    /** Ids tell the order in which calls were found. */
    private static Supplier<String> ids() {
        int[] next = new int[1];
        return () -> "call" + next[0]++;
    }

    private static AnswerReader reader(Case c, boolean separate) {
        return new AnswerReader(c.syntax, TOOLS, new ReasoningMarks("<think>", "</think>", c.begun, separate), ids());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void readsWhatModelsWrite(Case c) {
        AnswerReader reader = reader(c, true);
        reader.accept(c.text);
        reader.finish();
        Answer answer = reader.answer();
        assertThat(answer.content()).isEqualTo(c.content);
        assertThat(answer.reasoning()).isEqualTo(c.reasoning);
        assertThat(answer.calls().stream().map(call -> call.name() + call.arguments())).containsExactly(c.calls);
    }

    /** Every cut in two, single characters, and random pieces give the same answer and the same deltas, pieced together. */
    @ParameterizedTest
    @MethodSource("cases")
    void thePiecesDoNotMatter(Case c) {
        List<String> whole = deltas(c, List.of(c.text));
        for (int cut = 0; cut <= c.text.length(); cut++) {
            assertThat(deltas(c, List.of(c.text.substring(0, cut), c.text.substring(cut)))).as("cut at %d", cut).isEqualTo(whole);
        }
        assertThat(deltas(c, c.text.chars().mapToObj(ch -> "" + (char) ch).toList())).isEqualTo(whole);
        SplittableRandom random = new SplittableRandom(5);
        for (int run = 0; run < 20; run++) {
            List<String> pieces = new ArrayList<>();
            for (int at = 0; at < c.text.length(); ) {
                int to = Math.min(c.text.length(), at + 1 + random.nextInt(9));
                pieces.add(c.text.substring(at, to));
                at = to;
            }
            assertThat(deltas(c, pieces)).isEqualTo(whole);
        }
    }

    /** The deltas with neighbours of a kind joined, then the answer. */
    private static List<String> deltas(Case c, List<String> pieces) {
        AnswerReader reader = reader(c, true);
        List<AnswerDelta> all = new ArrayList<>();
        pieces.forEach(piece -> all.addAll(reader.accept(piece)));
        all.addAll(reader.finish());
        List<String> joined = new ArrayList<>();
        String kind = "";
        for (AnswerDelta delta : all) {
            String next = delta.getClass().getSimpleName();
            String text = switch (delta) {
                case AnswerDelta.Content content -> content.text();
                case AnswerDelta.Reasoning reasoning -> reasoning.text();
                case AnswerDelta.CallBegin begin -> begin.index() + begin.id() + begin.name();
                case AnswerDelta.CallArguments arguments -> arguments.text();
            };
            assertThat(text).isNotEmpty();
            joined.add(kind.equals(next) && !next.equals("CallBegin") ? joined.removeLast() + text : next + " " + text);
            kind = next;
        }
        joined.add(reader.answer().toString());
        return joined;
    }

    @Test
    void argumentsComeAsTheyAreWritten() {
        AnswerReader reader = reader(of(ToolSyntax.HERMES, "", "", ""), true);
        assertThat(reader.accept("Well <tool_call>\n{\"name\": \"ti")).containsExactly(new AnswerDelta.Content("Well"));
        assertThat(reader.accept("me\", \"arguments\": ")).isEmpty();
        assertThat(reader.accept("{\"a\": \"x")).containsExactly(new AnswerDelta.CallBegin(0, "call0", "time"), new AnswerDelta.CallArguments(0, "{\"a\": \"x"));
        assertThat(reader.accept("yz\"")).containsExactly(new AnswerDelta.CallArguments(0, "yz\""));
        assertThat(reader.accept("}}\n</tool")).containsExactly(new AnswerDelta.CallArguments(0, "}"));
        assertThat(reader.accept("_call>")).isEmpty();
        assertThat(reader.finish()).isEmpty();
    }

    @Test
    void theModelsOwnIdIsKeptWhereItStandsInFront() {
        AnswerReader reader = reader(of(ToolSyntax.MISTRAL, "", "", ""), true);
        reader.accept("[TOOL_CALLS] [{\"id\": \"ABCDEFGHI\", \"name\": \"time\", \"arguments\": {}}, {\"name\": \"time\", \"arguments\": {}, \"id\": \"late\"}]");
        assertThat(reader.answer().calls()).extracting(ToolCall::id).containsExactly("ABCDEFGHI", "call0");
    }

    @Test
    void reasoningIsContentWhereItIsNotToldApart() {
        Case c = of(ToolSyntax.HERMES, "<think>\nHm.\n</think>\n\nYes. <tool_call>{\"name\": \"time\"}</tool_call>", "", "");
        for (int cut = 0; cut <= c.text.length(); cut++) {
            AnswerReader reader = reader(c, false);
            reader.accept(c.text.substring(0, cut));
            reader.accept(c.text.substring(cut));
            reader.finish();
            assertThat(reader.answer().content()).isEqualTo("<think>\nHm.\n</think>\n\nYes.");
            assertThat(reader.answer().reasoning()).isEmpty();
            assertThat(reader.answer().calls()).hasSize(1);
        }
    }

    /** Text of fragments of every syntax: no exception, no delta taken back, and nothing but marks and white space lost. */
    @Test
    void noTextIsLost() {
        String[] pieces = {"<tool_call>", "</tool_call>", "{", "}", "[", "]", "\"name\"", "\"arguments\"", ":", ",", "\"time\"", " ", "\n", "word",
            "[TOOL_CALLS]", "<think>", "</think>", "{}", "1", "-", "\\", "\"", "<", "null", "{\"name\": \"time\", \"arguments\": {\"a\": 1}}", "<|python_tag|>"};
        List<ToolSyntax> syntaxes = List.of(ToolSyntax.HERMES, ToolSyntax.LLAMA3, ToolSyntax.MISTRAL, ToolSyntax.GENERIC);
        SplittableRandom random = new SplittableRandom(7);
        int calls = 0;
        for (int run = 0; run < 20_000; run++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(12); i >= 0; i--) {
                text.append(pieces[random.nextInt(pieces.length)]);
            }
            Case c = of(syntaxes.get(run % syntaxes.size()), text.toString(), "", "");
            AnswerReader reader = reader(c, true);
            reader.accept(c.text);
            reader.finish();
            Answer answer = reader.answer();
            calls += answer.calls().size();
            int at = 0;
            for (char ch : (answer.reasoning() + answer.content()).replaceAll("\\s", "").toCharArray()) {
                at = c.text.indexOf(ch, at) + 1;
                assertThat(at).as("%s out of order in %s", answer, c.text).isPositive();
            }
            if (answer.calls().isEmpty()) {
                assertThat((answer.reasoning() + answer.content()).replaceAll("\\s|</?think>", ""))
                        .isEqualTo(c.text.replaceAll("\\s|</?think>", ""));
            }
            if (run % 10 == 0) {
                assertThat(deltas(c, c.text.chars().mapToObj(x -> "" + (char) x).toList())).as(c.text).isEqualTo(deltas(c, List.of(c.text)));
            }
        }
        assertThat(calls).isGreaterThan(500);
    }
}
