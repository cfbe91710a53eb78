package dev.tern.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.GenerationOptions;
import dev.tern.StopReason;
import dev.tern.browser.ChromiumExtension;
import dev.tern.browser.Tab;
import dev.tern.server.ServerOptions;
import dev.tern.server.TestServer;
import dev.tern.server.json.Json;
import dev.tern.server.slots.CompletionRequest;
import dev.tern.template.ChatMessage;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The chat page in a browser: what a user does, and what the server is asked for. */
class ChatPageTest {
    private static final String LAST = "#messages li:last-child .body";

    @RegisterExtension
    private static final ChromiumExtension BROWSER = new ChromiumExtension();

    private TestServer server;
    private Tab page;

    @BeforeEach
    void open() {
        server = new TestServer(ServerOptions.builder().alias("tiny")).serveScript();
        say("A first answer.");
        page = BROWSER.open();
        page.go(server.server().uri());
        page.waitForText("#model", "tiny");
    }

    @AfterEach
    void nothingWentWrong() {
        assertThat(page.problems).isEmpty();
        String origin = server.server().uri() + "/";
        assertThat(page.requests).isNotEmpty();
        assertThat(page.requests).allMatch(address -> address.startsWith(origin) || address.startsWith("data:"));
        page.close();
        server.close();
    }

    private void say(String text) {
        server.script.say(text, 4, StopReason.END_TOKEN);
    }

    private void ask(String question) {
        page.run("document.querySelector('#prompt').focus()");
        page.type(question);
        page.press("Enter");
    }

    private void askAndWait(String question, String answer) {
        say(answer);
        ask(question);
        page.waitForText("#messages", answer.lines().toList().getLast());
        page.waitFor("!document.querySelector('.running')");
    }

    private String prompt() {
        CompletionRequest last = server.script.requests.getLast();
        return server.model.tokenizer().decode(last.prompt(), false);
    }

    private boolean focused(String selector) {
        return page.value("document.activeElement.matches('" + selector + "')").asBoolean();
    }

    @Test
    void anEmptyChatHasNothingToScroll() {
        String heights = "[document.querySelector('#scroll').scrollHeight, document.querySelector('#scroll').clientHeight]";
        page.waitFor("!document.querySelector('#welcome').hidden");
        assertThat(page.value(heights).get(0)).isEqualTo(page.value(heights).get(1));
        askAndWait("Hello", "A first answer.");
        page.run("document.querySelector('#new-chat').click()");
        page.waitFor("!document.querySelector('#welcome').hidden");
        assertThat(page.value(heights).get(0)).isEqualTo(page.value(heights).get(1));
    }

    @Test
    void anAnswerIsSeenAsItComes() {
        server.script.tokens.drainPermits();
        say("One sentence.\n\nAnd then another.");
        ask("Tell me.");
        page.waitFor("document.querySelector('.running') && !document.querySelector('#stop').hidden");
        server.script.tokens.release(3);
        page.waitForText(LAST, "One sentence");
        assertThat(page.text(LAST)).doesNotContain("another");
        page.waitForText(".running .status", "3 tokens");
        assertThat(focused("#prompt")).isTrue();
        server.script.tokens.release(3);
        page.waitForText(LAST, "And then");
        page.run("getSelection().selectAllChildren(document.querySelector('" + LAST + " p'))");
        page.press("R", Tab.ALT); // not while this answer is written
        page.waitForText("#toast", "The model is answering.");
        server.script.tokens.release(1000);
        page.waitFor("!document.querySelector('.running')");
        assertThat(page.text(LAST)).isEqualTo("One sentence.\n\nAnd then another.");
        assertThat(page.text("#messages li:last-child .status")).contains("8 tokens", "tokens/s", "2 cached");
        assertThat(page.value("getSelection().toString()").asString()).isEqualTo("One sentence.");
        assertThat(page.text("#usage")).contains("of 512 tokens");
        assertThat(page.text("#title")).isEqualTo("Tell me.");
        assertThat(prompt()).contains("Tell me.");
    }

    @Test
    void theTrainedModelAnswersAsItDoesAlone() {
        GenerationOptions greedy = GenerationOptions.builder().maxTokens(24).temperature(0).build();
        String alone = server.model.chat(List.of(new ChatMessage("user", "Tell me of a fox.")), greedy).text();
        server.serve();
        page.press("S", Tab.ALT);
        set("#set-temperature", "0");
        set("#set-max_tokens", "24");
        page.press("Escape");
        ask("Tell me of a fox.");
        page.waitFor("document.querySelector('#messages .assistant .actions')");
        assertThat(page.text(LAST).replaceAll("\\s+", " ")).isEqualTo(alone.strip().replaceAll("\\s+", " "));
    }

    @Test
    void escStopsAnAnswerAndItCanGoOn() throws InterruptedException {
        server.script.tokens.drainPermits();
        say("One sentence. And then another.");
        ask("Tell me.");
        server.script.tokens.release(3);
        page.waitForText(LAST, "One sentence");
        page.press("Escape");
        page.waitForText("#messages", "Stopped.");
        assertThat(server.script.cancelled.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
        assertThat(page.value("document.querySelector('#send').hidden").asBoolean()).isFalse();
        server.script.tokens.drainPermits();
        server.script.tokens.release(1000);
        say(", and more.");
        page.click("[data-act=proceed]");
        page.waitForText(LAST, "One sentence, and more.");
        assertThat(prompt()).endsWith("One sentence");
    }

    @Test
    void anotherAnswerStandsBesideTheFirst() {
        askAndWait("Tell me.", "A first answer.");
        say("A second answer.");
        page.press("R", Tab.ALT);
        page.waitForText(LAST, "A second answer.");
        page.waitForText("#messages li:last-child .turn", "2/2");
        assertThat(prompt()).doesNotContain("A first answer.");
        page.click("[data-act=left]");
        page.waitForText(LAST, "A first answer.");
        assertThat(focused("[data-act=right]")).isTrue();
        page.click("[data-act=remove]:not(.user [data-act=remove])");
        page.waitForText(LAST, "A second answer.");
        assertThat(page.count(".turn")).isZero();
        page.click("#toast button");
        page.waitForText(LAST, "A first answer.");
    }

    @Test
    void anEditedQuestionIsAskedAgainAndTheOldOneKept() {
        askAndWait("Tell me of foxes.", "Of foxes.");
        askAndWait("And more?", "More of foxes.");
        page.click(".user [data-act=edit]");
        page.waitFor("document.activeElement.matches('.editor textarea')");
        page.run("document.activeElement.select()");
        page.type("Tell me of terns.");
        say("Of terns.");
        page.press("Enter");
        page.waitForText(LAST, "Of terns.");
        assertThat(prompt()).contains("Tell me of terns.").doesNotContain("foxes");
        assertThat(page.count("#messages > li")).isEqualTo(2);
        page.click("[data-act=left]");
        page.waitForText(LAST, "More of foxes.");
        page.press("ArrowUp"); // in the empty message field nothing is to be edited while it has no focus
        page.run("document.querySelector('#prompt').focus()");
        page.press("ArrowUp");
        assertThat(page.value("document.activeElement.value").asString()).isEqualTo("And more?");
        page.press("Escape");
        page.waitFor("!document.querySelector('.editor')");
        assertThat(page.count("#messages > li")).isEqualTo(4);
    }

    @Test
    void anEditedAnswerIsWhatTheModelIsTold() {
        askAndWait("Tell me.", "A first answer.");
        page.click(".assistant [data-act=edit]");
        page.run("document.activeElement.select()");
        page.type("A better answer.");
        page.click(".editor .primary");
        page.waitForText(LAST, "A better answer.");
        askAndWait("And then?", "Then this.");
        assertThat(prompt()).contains("A better answer.").doesNotContain("A first answer.");
    }

    @Test
    void settingsAreAskedForAndEmptyOnesLeftToTheServer() {
        page.press("S", Tab.ALT);
        page.waitFor("document.querySelector('#settings').open");
        GenerationOptions defaults = GenerationOptions.builder().build();
        assertThat(page.value("document.querySelector('#set-top_k').placeholder").asString())
                .isEqualTo(String.valueOf(defaults.sampling().truncation().topK()));
        set("#set-temperature", "0.25");
        set("#set-top_p", "7");
        assertThat(page.value("document.querySelector('#set-top_p').ariaInvalid").asString()).isEqualTo("true");
        set("#set-top_p", "0.5");
        set("#set-min_p", "0.125");
        set("#set-repeat_penalty", "1.5");
        set("#set-max_tokens", "77");
        set("#set-seed", "12345");
        page.run("document.querySelector('#system').focus()");
        page.type("Speak like a pirate.");
        page.press("Escape");
        page.waitFor("!document.querySelector('#settings').open");
        askAndWait("Tell me.", "Arr.");
        GenerationOptions asked = server.script.requests.getLast().options();
        assertThat(asked.sampling().temperature().value()).isEqualTo(0.25f);
        assertThat(asked.sampling().truncation().topK()).isEqualTo(defaults.sampling().truncation().topK());
        assertThat(asked.sampling().truncation().topP()).isEqualTo(0.5f);
        assertThat(asked.sampling().truncation().minP()).isEqualTo(0.125f);
        assertThat(asked.sampling().penalties().repeat()).isEqualTo(1.5f);
        assertThat(asked.maxTokens()).isEqualTo(77);
        assertThat(asked.seed()).hasValue(12345);
        assertThat(prompt()).contains("Speak like a pirate.");
        page.reload();
        page.press("N", Tab.ALT);
        askAndWait("Another chat.", "As you like.");
        assertThat(prompt()).doesNotContain("pirate");
        assertThat(server.script.requests.getLast().options().seed()).hasValue(12345);
    }

    private void set(String field, String value) {
        page.run("document.querySelector('" + field + "').focus(); document.activeElement.select()");
        page.type(value);
    }

    @Test
    void chatsAreKeptRenamedDeletedAndBroughtBack() {
        askAndWait("Of foxes.", "A fox.");
        page.press("N", Tab.ALT);
        page.waitFor("!document.querySelector('#welcome').hidden");
        assertThat(focused("#prompt")).isTrue();
        askAndWait("Of terns.", "A tern.");
        page.reload();
        page.waitForText("#messages", "A tern.");
        assertThat(page.count("#chats li")).isEqualTo(2);
        page.click("#chats li:last-child .chat");
        page.waitForText("#messages", "A fox.");
        page.click("#chats li:last-child [aria-label^=Rename]");
        page.type("Foxes, and <b>more</b>");
        page.press("Enter");
        page.waitForText("#title", "Foxes, and <b>more</b>");
        page.reload();
        page.waitForText("#chats", "Foxes, and <b>more</b>");
        page.waitForText("#messages", "A fox.");
        page.click("#chats li:last-child [aria-label^=Delete]");
        page.waitFor("document.querySelectorAll('#chats li').length === 1");
        page.reload();
        page.waitFor("document.querySelectorAll('#chats li').length === 1");
        page.click("#chats li:last-child [aria-label^=Delete]");
        page.waitFor("document.querySelectorAll('#chats li').length === 0");
        page.click("#toast button");
        page.waitForText("#messages", "A tern.");
        page.reload();
        page.waitForText("#messages", "A tern.");
    }

    @Test
    void chatsGoToAFileAndComeFromOne() {
        askAndWait("Of foxes.", "A fox.");
        String file = page.value("import('/store.js').then(s => s.exportChats(s.loadChats()))").asString();
        assertThat(TestServer.parse(file).path("format").asString()).isEqualTo("tern-chats");
        page.run("localStorage.clear(); location.hash = ''");
        page.reload();
        page.waitFor("document.querySelectorAll('#chats li').length === 0");
        give(file);
        page.waitFor("document.querySelectorAll('#chats li').length === 1");
        page.click("#chats .chat");
        page.waitForText("#messages", "A fox.");
        give(file); // the same again is no other chat
        page.waitForText("#toast", "0 chats");
        assertThat(page.count("#chats li")).isEqualTo(1);
        String role = file.replace("\"user\"", "\"root\"");
        String parent = file.replace("\"parent\": null", "\"parent\": 1");
        assertThat(List.of(role, parent)).doesNotContain(file);
        for (String bad : List.of("{", "[]", role, parent)) {
            page.run("document.querySelector('#toast').replaceChildren()");
            give(bad);
            page.waitForText("#toast", "This file");
            assertThat(page.count("#chats li")).isEqualTo(1);
        }
    }

    private void give(String file) {
        page.run("{ const t = new DataTransfer(); t.items.add(new File([" + Json.text(Json.array().add(file))
                + "[0]], 'chats.json')); const f = document.querySelector('#file'); f.files = t.files;"
                + " f.dispatchEvent(new Event('change')) }");
    }

    @Test
    void whatAModelWritesIsInert() {
        String hostile = """
                # <img src=http://example.org/1.png onerror="window.hacked = 1">

                <script>window.hacked = 2</script><iframe src="http://example.org/2"></iframe>

                [one](javascript:window.hacked=3) [two](data:text/html,<script>window.hacked=4</script>)
                [three](JaVaScRiPt:window.hacked=5) [four](&#106;avascript:window.hacked=6) <javascript:window.hacked=7>

                ![picture](http://example.org/3.png) [good](https://example.org/good "title")

                | <img src=x onerror="window.hacked=8"> | [x](vbscript:window.hacked=9) |
                |---|---|
                | `<b>` | <style>body { display: none }</style> |

                ```html" onload="window.hacked=10
                <img src=x onerror="window.hacked=11">
                ```
                """;
        say(hostile);
        ask("<img src=x onerror='window.hacked=12'> [a](javascript:1)");
        page.waitFor("document.querySelector('#messages .code')");
        page.waitFor("!document.querySelector('.running')");
        assertThat(page.count("#messages :is(img, script, iframe, style, object, embed, base, form, meta, link)"))
                .isZero();
        assertThat(page.value("[...document.querySelectorAll('#messages a')].map(a => a.protocol).join()").asString())
                .isEqualTo("http:,http:,http:,https:"); // addresses in plain sight are links too
        assertThat(page.count("#messages a:not([rel=\"noopener noreferrer nofollow\"][target=_blank])")).isZero();
        assertThat(page.value("[...document.querySelectorAll('#messages *')].some(e => [...e.attributes]"
                                + ".some(a => a.name.startsWith('on')))")
                        .asBoolean())
                .isFalse();
        page.run("document.querySelectorAll('#messages button').forEach(b => b.matches('.copy-code') && b.click())");
        assertThat(page.value("window.hacked === undefined").asBoolean()).isTrue();
        assertThat(page.text("#messages li:last-child h3")).contains("<img src=http://example.org/1.png");
    }

    @Test
    void markdownIsShownAsItIsMeant() {
        askAndWait("Tell me.", """
                ## Title

                Some **strong**, *soft*, ~~gone~~ and `code`, 2 * 3 * 4 and snake_case_name.
                New line.

                1. one
                   - inner **item**
                     more of it
                2. two

                | a | b |
                |:--|--:|
                | 1 | 2 \\| 3 |

                > quoted
                > text

                ```python
                def f():
                    return "**"
                ```
                End.""".stripTrailing());
        assertThat(page.value("document.querySelector('" + LAST + "').innerHTML").asString())
                .contains("<h4>Title</h4>")
                .contains("<p>Some <strong>strong</strong>, <em>soft</em>, <del>gone</del> and <code>code</code>,"
                        + " 2 * 3 * 4 and snake_case_name.<br>New line.</p>")
                .contains("<ol><li>one<ul><li>inner <strong>item</strong><br>more of it</li></ul></li>")
                .contains("<th class=\"right\" scope=\"col\">b</th>")
                .contains("<td class=\"right\">2 | 3</td>")
                .contains("<blockquote><p>quoted<br>text</p></blockquote>")
                .contains("<code><span class=\"keyword\">def</span> f():\n    <span class=\"keyword\">return</span>"
                        + " <span class=\"string\">\"**\"</span></code>")
                .endsWith("<p>End.</p>");
    }
}
