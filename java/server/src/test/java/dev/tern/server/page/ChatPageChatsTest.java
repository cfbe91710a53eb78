package dev.tern.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.StopReason;
import dev.tern.browser.ChromiumExtension;
import dev.tern.browser.Tab;
import dev.tern.server.ServerOptions;
import dev.tern.server.TestServer;
import dev.tern.server.json.Json;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What happens to the chats of the page while other things go on: answers, files, other tabs, a blocked storage. */
class ChatPageChatsTest {
    private static final String LAST = "#messages li:last-child .body";
    private static final String OWLS = """
            {"id": "owls", "title": "", "system": "", "created": 1, "updated": 1, "leaf": "m1",
             "messages": {"m1": {"id": "m1", "parent": null, "role": "user", "content": "Of owls."}}}""";

    @RegisterExtension
    private static final ChromiumExtension BROWSER = new ChromiumExtension();

    private TestServer server;
    private Tab page;

    @BeforeEach
    void open() {
        server = new TestServer(ServerOptions.builder().alias("tiny"));
        page = BROWSER.open();
    }

    @AfterEach
    void nothingWentWrong() {
        assertThat(page.problems).isEmpty();
        page.close();
        server.close();
    }

    private void ready() {
        server.serveScript();
        page.go(server.server().uri());
        page.waitForText("#model", "tiny");
    }

    private void ask(String question, String answer) {
        server.script.say(answer, 4, StopReason.END_TOKEN);
        page.run("document.querySelector('#prompt').focus()");
        page.type(question);
        page.press("Enter");
    }

    private void askAndWait(String question, String answer) {
        ask(question, answer);
        page.waitForText("#messages", answer);
        page.waitFor("!document.querySelector('.running')");
    }

    private static String quoted(String text) {
        return Json.text(Json.array().add(text)) + "[0]";
    }

    /** Stores a chat as another tab does. */
    private void storeElsewhere(String id, String chat) {
        page.run("localStorage['tern.chat." + id + "'] = " + quoted(chat)
                + "; dispatchEvent(new StorageEvent('storage', { key: 'tern.chat." + id + "' }))");
    }

    /** Changes the stored text of the open chat as another tab does. */
    private void changeElsewhere(String from, String to) {
        String id = page.value("location.hash.slice(1)").asString();
        String chat = page.value("localStorage['tern.chat." + id + "']").asString();
        assertThat(chat).contains(from);
        storeElsewhere(id, chat.replace(from, to));
    }

    @Test
    void anAnswerGoesOnWhileChatsComeFromAFile() {
        ready();
        server.script.tokens.drainPermits();
        ask("Tell me.", "One sentence. And then another.");
        server.script.tokens.release(3);
        page.waitForText(LAST, "One sentence");
        String file = "{\"format\": \"tern-chats\", \"version\": 1, \"chats\": [" + OWLS + "]}";
        page.run("{ const t = new DataTransfer(); t.items.add(new File([" + quoted(file) + "], 'chats.json'));"
                + " const f = document.querySelector('#file'); f.files = t.files;"
                + " f.dispatchEvent(new Event('change')) }");
        page.waitForText("#toast", "One chat has come.");
        assertThat(page.count("#chats li")).isEqualTo(2);
        server.script.tokens.release(1000);
        page.waitFor("!document.querySelector('.running')");
        assertThat(page.text(LAST)).isEqualTo("One sentence. And then another.");
        page.reload();
        page.waitForText(LAST, "One sentence. And then another.");
        assertThat(page.count("#chats li")).isEqualTo(2);
    }

    @Test
    void anotherTabChangesOnlyTheChatThatItHasChanged() {
        ready();
        askAndWait("Tell me.", "Of terns.");
        page.run("document.querySelector('#messages article').same = true");
        page.click("#chats [aria-label^=Rename]");
        page.run("document.activeElement.select()");
        page.type("Te");
        storeElsewhere("owls", OWLS);
        page.waitForText("#chats", "Of owls.");
        page.type("rns");
        assertThat(page.value("document.activeElement.value").asString()).isEqualTo("Terns");
        assertThat(page.count("#chats li")).isEqualTo(2);
        assertThat(page.value("document.querySelector('#messages article').same").asBoolean()).isTrue();
        changeElsewhere("Of terns.", "Of gulls.");
        page.waitForText(LAST, "Of gulls.");
        page.press("Enter");
        page.waitForText("#title", "Terns");
        assertThat(page.count("#chats input")).isZero();
        page.reload();
        page.waitForText(LAST, "Of gulls.");
        assertThat(page.text("#title")).isEqualTo("Terns");
    }

    @Test
    void aMessageComesBackToItsChatAsItIsByNow() {
        ready();
        askAndWait("Tell me.", "Of terns.");
        askAndWait("And then?", "Of gulls.");
        page.click("#messages li:nth-child(3) [data-act=remove]");
        page.waitFor("document.querySelectorAll('#messages > li').length === 2");
        changeElsewhere("Of terns.", "Of arctic terns.");
        page.waitForText(LAST, "Of arctic terns.");
        page.click("#toast button");
        page.waitForText(LAST, "Of gulls.");
        assertThat(page.text("#messages")).contains("Of arctic terns.", "And then?");
        page.reload();
        page.waitForText(LAST, "Of gulls.");
        assertThat(page.text("#messages")).contains("Of arctic terns.", "And then?");
    }

    @Test
    void anAnswerThatComesBackStandsWhereItStood() {
        ready();
        askAndWait("Tell me.", "A first answer.");
        server.script.say("A second answer.", 4, StopReason.END_TOKEN);
        page.press("R", Tab.ALT);
        page.waitForText("#messages li:last-child .turn", "2/2");
        page.click("[data-act=left]");
        page.waitForText(LAST, "A first answer.");
        page.click("#messages .assistant [data-act=remove]");
        page.waitForText(LAST, "A second answer.");
        page.click("#toast button");
        page.waitForText(LAST, "A first answer.");
        assertThat(page.text("#messages li:last-child .turn")).contains("1/2");
    }

    @Test
    void aStorageThatIsBlockedIsSaidAndDoneWithout() {
        String block = "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name,"
                + " { get() { throw new DOMException('blocked', 'SecurityError') } })";
        page.call("Page.addScriptToEvaluateOnNewDocument", Json.object().put("source", block));
        ready();
        page.waitForText("#toast", "This browser keeps nothing for this page");
        askAndWait("Tell me.", "Of terns.");
        page.press("N", Tab.ALT);
        askAndWait("And then?", "Of gulls.");
        page.click("#chats li:last-child .chat");
        page.waitForText(LAST, "Of terns.");
    }

    @Test
    void escStopsAQuestionThatTheServerHasNotTakenYet() {
        page.go(server.server().uri());
        page.waitForText("#notice", "The model is being loaded.");
        page.run("fetch = (path, { signal }) => new Promise((_, refuse) =>"
                + " signal?.addEventListener('abort', () => refuse(signal.reason)))");
        ask("Tell me.", "Never.");
        page.waitForText(".running .status", "Waiting for the server");
        page.press("Escape");
        page.waitForText("#messages", "Stopped.");
        assertThat(page.count(".running")).isZero();
    }
}
