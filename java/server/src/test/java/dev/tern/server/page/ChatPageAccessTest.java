package dev.tern.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.StopReason;
import dev.tern.browser.ChromiumExtension;
import dev.tern.browser.Tab;
import dev.tern.server.ServerOptions;
import dev.tern.server.TestServer;
import dev.tern.server.json.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The chat page for those who use no mouse, hear it, see little, or have a small screen. */
class ChatPageAccessTest {
    private static final Set<String> NAMED = Set.of(
            "button", "textbox", "link", "spinbutton", "dialog", "article", "region", "navigation", "form", "image",
            "heading", "log");
    private static final String ANSWER = """
            # A long answer

            With `code`, a [link](https://example.org/), **strong** words, AVeryLongWordThatIsWiderThanAPhoneWithoutBreak
            and https://example.org/a/very/long/address/that/does/not/fit/on/the/screen/of/any/phone.html too.

            > quoted

            | Sense | When | Range | And a column | And another one |
            |---|---|---|---|---|
            | Sun | by day | 1,000 km | which is wide | which is wider still |

            ```java
            static double distance(double lat1, double lon1, double lat2, double lon2, double radius) {
                double h = sin2((lat2 - lat1) / 2) + cos(lat1) * cos(lat2) * sin2((lon2 - lon1) / 2);
                return 2 * radius * Math.asin(Math.sqrt(h));
            }
            ```

            - [x] done
            - [ ] to do""";

    @RegisterExtension
    private static final ChromiumExtension BROWSER = new ChromiumExtension();

    private TestServer server;
    private Tab page;

    @BeforeEach
    void open() {
        server = new TestServer(ServerOptions.builder().alias("tiny")).serveScript();
        server.script.say(ANSWER, 4, StopReason.END_TOKEN);
        page = BROWSER.open();
        page.go(server.server().uri());
        page.waitForText("#model", "tiny");
    }

    @AfterEach
    void close() {
        assertThat(page.problems).isEmpty();
        page.close();
        server.close();
    }

    private void ask() {
        page.run("document.querySelector('#prompt').focus()");
        page.type("How does a tern find its way?");
        page.click("#send");
        page.waitFor("document.querySelector('#messages .task') && !document.querySelector('.running')");
    }

    private String focus() {
        String element = "document.activeElement";
        return page.value(element + ".id || " + element + ".ariaLabel || " + element + ".innerText").asString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"light", "dark"})
    void allTextStandsOutAsTheSystemOrTheUserWantsIt(String scheme) throws IOException {
        page.prefer("prefers-color-scheme", scheme);
        assertThat(page.faintTexts()).as("welcome").isEmpty();
        page.screenshot("welcome-" + scheme);
        ask();
        page.run("document.querySelector('#messages article').insertAdjacentHTML('beforeend',"
                + " '<div class=problem>Not so.</div><p class=ending>Stopped.</p>')");
        assertThat(page.faintTexts()).as("answer").isEmpty();
        page.run("document.querySelector('#scroll').scrollTop = 0");
        page.screenshot("answer-" + scheme);
        page.press("S", Tab.ALT);
        assertThat(page.faintTexts()).as("settings").isEmpty();
        page.screenshot("settings-" + scheme);
        page.press("Escape");
        boolean dark = scheme.equals("dark");
        String ground = "getComputedStyle(document.body).backgroundColor";
        String first = page.value(ground).asString();
        page.click("#theme"); // from the system's to light
        if (!dark) {
            assertThat(page.value(ground).asString()).isEqualTo(first);
            page.click("#theme"); // to dark
        }
        assertThat(page.value(ground).asString()).isNotEqualTo(first);
        page.reload();
        assertThat(page.value(ground).asString()).isNotEqualTo(first);
    }

    @Test
    void whatIsOnThePageHasANameAndAPlace() {
        ask();
        page.press("S", Tab.ALT);
        List<String> settings = nameless();
        page.press("Escape");
        page.press("K", Tab.ALT);
        page.waitFor("document.querySelector('#shortcuts').open");
        page.press("Escape");
        page.click(".user [data-act=edit]");
        List<String> edited = nameless();
        page.press("Escape");
        assertThat(nameless()).isEmpty();
        assertThat(settings).isEmpty();
        assertThat(edited).isEmpty();
        assertThat(roles()).contains("banner", "navigation", "main", "form", "article", "log", "status");
        assertThat(page.value("document.documentElement.lang").asString()).isEqualTo("en");
        assertThat(page.count("h1")).isEqualTo(1);
        String ids = "[...document.querySelectorAll('[id]')].map(e => e.id)";
        assertThat(page.value("new Set(" + ids + ").size === " + ids + ".length").asBoolean()).isTrue();
    }

    private JsonNode tree() {
        return page.call("Accessibility.getFullAXTree", Json.object()).path("nodes");
    }

    private List<String> roles() {
        return tree().valueStream().map(node -> node.path("role").path("value").asString("")).toList();
    }

    private List<String> nameless() {
        List<String> found = new ArrayList<>();
        for (JsonNode node : tree()) {
            boolean ignored = node.path("ignored").asBoolean(false);
            String role = node.path("role").path("value").asString("");
            if (!ignored && NAMED.contains(role) && node.path("name").path("value").asString("").isBlank()) {
                found.add(node.toString());
            }
        }
        return found;
    }

    @Test
    void anAnswerIsReadOutInParagraphsAndNotInTokens() {
        server.script.tokens.drainPermits();
        server.script.say("A first paragraph.\n\nA second **one**.", 1, StopReason.END_TOKEN);
        page.type("Tell me.");
        page.press("Enter");
        server.script.tokens.release(10);
        page.waitForText("#messages", "A first pa");
        String read = "[...document.querySelectorAll('#announcer p')].map(p => p.textContent).join('|')";
        assertThat(page.value(read).asString()).isEqualTo("The model is answering.");
        assertThat(page.count("#messages [aria-live]")).isZero();
        server.script.tokens.release(100);
        page.waitFor("!document.querySelector('.running')");
        assertThat(page.value(read).asString())
                .isEqualTo("The model is answering.|A first paragraph.|A second one.|The answer is complete.");
    }

    @Test
    void ofAChatThatIsNotOpenItIsOnlySaidHowItsAnswerEnds() {
        server.script.tokens.drainPermits();
        server.script.say("A first paragraph.\n\nA second one.", 1, StopReason.END_TOKEN);
        page.type("Tell me.");
        page.press("Enter");
        server.script.tokens.release(10);
        page.waitForText("#messages", "A first pa");
        page.press("N", Tab.ALT);
        server.script.tokens.release(100);
        String read = "[...document.querySelectorAll('#announcer p')].map(p => p.textContent).join('|')";
        page.waitFor(read + ".endsWith('complete.')");
        assertThat(page.value(read).asString())
                .isEqualTo("The model is answering.|The answer in Tell me. is complete.");
        server.script.tokens.drainPermits();
        server.script.say("Some words.", 1, StopReason.END_TOKEN);
        server.script.fail(new IllegalStateException("the test breaks it"));
        page.type("More.");
        page.press("Enter");
        page.waitFor("document.querySelector('.running')");
        page.press("N", Tab.ALT);
        server.script.tokens.release(100);
        page.waitFor(read + ".endsWith('failed.')");
        assertThat(page.value(read).asString()).endsWith("|The model is answering.|The answer in More. has failed.");
    }

    @Test
    void aKeyboardIsEnough() {
        assertThat(focus()).isEqualTo("prompt");
        ask();
        assertThat(focus()).isEqualTo("prompt");
        List<String> way = new ArrayList<>();
        for (int i = 0; i < 30 && !way.contains("prompt"); i++) {
            page.press("Tab", Tab.SHIFT);
            assertThat(page.value("document.activeElement === document.body || document.activeElement.checkVisibility()"
                                    + " && getComputedStyle(document.activeElement.closest('.field') ||"
                                    + " document.activeElement).outlineStyle !== 'none'")
                            .asBoolean())
                    .as(focus())
                    .isTrue();
            way.add(focus());
        }
        assertThat(way)
                .contains("Another answer", "Edit your message", "Copy the java code")
                .contains("open-settings", "new-chat", "theme");
        page.press("M", Tab.ALT);
        assertThat(focus()).isEqualTo("prompt");
        page.press("L", Tab.ALT);
        page.press("Tab");
        assertThat(focus()).startsWith("Rename");
        page.press("Enter");
        page.run("document.activeElement.select()");
        page.type("Of terns");
        page.press("Enter");
        page.waitForText("#title", "Of terns");
        assertThat(focus()).isEqualTo("Of terns");
        page.press("K", Tab.ALT);
        page.waitFor("document.querySelector('#shortcuts').open");
        page.press("Escape");
        page.waitFor("!document.querySelector('#shortcuts').open");
        assertThat(focus()).isEqualTo("Of terns");
        page.press("N", Tab.ALT);
        assertThat(focus()).isEqualTo("prompt");
        page.type("one");
        page.press("Enter", Tab.SHIFT);
        page.type("two");
        assertThat(page.value("document.querySelector('#prompt').value").asString()).isEqualTo("one\ntwo");
    }

    @Test
    void aPhoneShowsAllOfItAndNothingSticksOut() throws IOException {
        page.size(320, 640, true);
        page.screenshot("phone-welcome");
        ask();
        page.waitFor("document.documentElement.scrollWidth <= 320");
        page.waitFor("document.querySelector('#scroll').scrollWidth <= 320");
        page.waitFor("document.getAnimations().length === 0"); // the list of chats has slid out of sight
        assertThat(page.value("[...document.querySelectorAll('button')]"
                                + ".filter(b => b.checkVisibility({ visibilityProperty: true }))"
                                + ".filter(b => { const r = b.getBoundingClientRect(); return r.right > 320 || r.left < 0 ||"
                                + " Math.min(r.width, r.height) < 24 }).map(b => b.ariaLabel || b.innerText)"))
                .isEmpty();
        page.screenshot("phone-answer");
        assertThat(page.value("document.querySelector('#sidebar').inert").asBoolean()).isTrue();
        page.click("#open-sidebar");
        page.waitFor("document.querySelector('#sidebar').getBoundingClientRect().left === 0");
        assertThat(page.value("document.querySelector('#page').inert").asBoolean()).isTrue();
        assertThat(page.value("document.activeElement.closest('#sidebar') !== null").asBoolean()).isTrue();
        page.screenshot("phone-chats");
        page.press("Escape");
        assertThat(page.value("document.querySelector('#page').inert").asBoolean()).isFalse();
        assertThat(focus()).isEqualTo("open-sidebar");
        page.click("#open-settings");
        assertThat(page.value("document.querySelector('#settings').scrollWidth").asInt()).isLessThanOrEqualTo(320);
        page.screenshot("phone-settings");
    }

    @Test
    void nothingMovesForThoseWhoWantItStill() {
        page.prefer("prefers-reduced-motion", "reduce");
        server.script.tokens.drainPermits();
        page.type("Tell me.");
        page.press("Enter");
        page.waitFor("document.querySelector('.running')");
        assertThat(page.value("document.getAnimations().length").asInt()).isZero();
        page.prefer("prefers-reduced-motion", "no-preference");
        assertThat(page.value("document.getAnimations().length").asInt()).isPositive();
        page.press("Escape");
        page.waitFor("!document.querySelector('.running')");
    }
}
