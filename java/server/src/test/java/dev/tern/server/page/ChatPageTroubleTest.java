package dev.tern.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.Model;
import dev.tern.StopReason;
import dev.tern.browser.ChromiumExtension;
import dev.tern.browser.Tab;
import dev.tern.convert.Converter;
import dev.tern.server.ServerOptions;
import dev.tern.server.TestServer;
import dev.tern.server.TinyModel;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

/** What the chat page says when something is amiss, and how it goes on. */
class ChatPageTroubleTest {
    @RegisterExtension
    private static final ChromiumExtension BROWSER = new ChromiumExtension();

    private static Tab open(TestServer server) {
        Tab page = BROWSER.open();
        page.go(server.server().uri());
        return page;
    }

    private static void ask(Tab page, String question) {
        page.run("document.querySelector('#prompt').focus()");
        page.type(question);
        page.press("Enter");
    }

    @Test
    void aModelThatIsBeingLoadedIsWaitedFor() {
        try (TestServer server = new TestServer(ServerOptions.builder().alias("tiny"));
                Tab page = open(server)) {
            page.waitForText("#notice", "The model is being loaded.");
            ask(page, "Tell me.");
            page.waitForText(".problem", "The model is being loaded.");
            server.script.say("Now.", 4, StopReason.END_TOKEN);
            server.serveScript();
            page.waitForText("#model", "tiny");
            assertThat(page.text("#notice")).isEmpty();
            page.click(".problem button");
            page.waitForText("#messages", "Now.");
            assertThat(page.count(".problem")).isZero();
            assertThat(page.count("#messages > li")).isEqualTo(2);
        }
    }

    @Test
    void aKeyIsAskedForAndKeptForTheTab() {
        ServerOptions.Builder options = ServerOptions.builder().alias("tiny").apiKeys(List.of("sésame"));
        try (TestServer server = new TestServer(options).serveScript();
                Tab page = open(server)) {
            server.script.say("Open.", 4, StopReason.END_TOKEN);
            page.waitForText("#notice", "This server wants an API key.");
            page.run("document.querySelector('#key-field').focus()");
            page.type("wrong");
            page.press("Enter");
            page.waitForText("#notice", "does not know this API key");
            page.run("document.querySelector('#key-field').focus()");
            page.type("sésame");
            page.press("Enter");
            page.waitForText("#model", "tiny");
            ask(page, "Tell me.");
            page.waitForText("#messages", "Open.");
            page.reload();
            page.waitForText("#model", "tiny");
            assertThat(page.value("JSON.stringify(localStorage).includes('sésame')").asBoolean()).isFalse();
        }
    }

    @Test
    void aServerThatIsGoneAndAnAnswerThatIsCutOffAreSaid() {
        try (TestServer server = new TestServer(ServerOptions.builder().alias("tiny")).serveScript();
                Tab page = open(server)) {
            page.waitForText("#model", "tiny");
            server.script.tokens.drainPermits();
            server.script.say("One sentence. And then another.", 4, StopReason.END_TOKEN);
            ask(page, "Tell me.");
            server.script.tokens.release(3);
            page.waitForText("#messages", "One sent");
            server.server().close();
            page.waitForText(".problem", "The connection was lost before the answer was complete.");
            assertThat(page.text("#messages")).contains("One sent");
            page.click(".problem button");
            page.waitForText(".problem", "The server cannot be reached.");
            page.waitForText("#notice", "The server cannot be reached.");
            assertThat(page.text("#messages")).contains("One sent");
        }
    }

    @Test
    void aFailureAndAFullContextAreSaidInPlace() {
        try (TestServer server = new TestServer(ServerOptions.builder().alias("tiny")).serveScript();
                Tab page = open(server)) {
            page.waitForText("#model", "tiny");
            ask(page, "word ".repeat(600));
            page.waitForText(".problem", "This chat is too long");
            assertThat(page.text(".problem")).contains("512");
            page.click("#new-chat");
            server.script.say("Some words.", 4, StopReason.END_TOKEN);
            server.script.fail(new IllegalStateException("the test breaks it"));
            ask(page, "Tell me.");
            page.waitForText(".problem", "the server failed; its log says more");
            assertThat(page.text("#messages")).contains("Some words.");
        }
    }

    @Test
    void aLimitOfTokensIsSaid() {
        try (TestServer server = new TestServer(ServerOptions.builder().alias("tiny")).serveScript();
                Tab page = open(server)) {
            page.waitForText("#model", "tiny");
            server.script.say("Some", 4, StopReason.MAX_TOKENS);
            ask(page, "Tell me.");
            page.waitForText("#messages", "Ended at the limit of tokens.");
            server.script.say(" words.", 4, StopReason.END_TOKEN);
            page.click("[data-act=proceed]");
            page.waitForText("#messages", "Some words.");
            page.waitFor("!document.querySelector('.ending')");
        }
    }

    @Test
    void aModelWithoutTemplateGoesOnWithTheText(@TempDir Path folder) throws IOException {
        try (Stream<Path> files = Files.list(TinyModel.FOLDER)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Path tokenizer = folder.resolve("tokenizer_config.json");
        ObjectNode config = (ObjectNode) TestServer.parse(Files.readString(tokenizer));
        config.remove("chat_template");
        Files.writeString(tokenizer, config.toString());
        Path file = folder.resolve("plain.gguf");
        Converter.from(folder).to(file);
        try (Model model = Model.load(file);
                TestServer server = new TestServer(ServerOptions.builder().alias("plain"), 16, model).serveScript();
                Tab page = open(server)) {
            page.waitForText("#notice", "This model has no chat template");
            server.script.say(" upon a time", 4, StopReason.END_TOKEN);
            ask(page, "Once");
            page.waitForText("#messages", "upon a time");
            page.waitFor("!document.querySelector('.running')");
            ask(page, "Then");
            page.waitFor("document.querySelectorAll('#messages > li').length === 4");
            page.waitFor("!document.querySelector('.running')");
            String prompt = model.tokenizer().decode(server.script.requests.getLast().prompt(), true);
            assertThat(prompt.strip()).isEqualTo("Once upon a time\nThen");
        }
    }

    @Test
    void whatTheBrowserKeepsMayBeDamaged() {
        try (TestServer server = new TestServer(ServerOptions.builder().alias("tiny")).serveScript();
                Tab page = open(server)) {
            page.waitForText("#model", "tiny");
            page.run("localStorage['tern.chat.a'] = '{'; localStorage['tern.chat.b'] = '{\"id\": 1}';"
                    + " localStorage['tern.settings'] = '[1'; localStorage['tern.chat.c'] = 'null'");
            page.reload();
            page.waitForText("#model", "tiny");
            assertThat(page.count("#chats li")).isZero();
            server.script.say("All well.", 4, StopReason.END_TOKEN);
            ask(page, "Tell me.");
            page.waitForText("#messages", "All well.");
            assertThat(page.problems).isEmpty();
        }
    }

    /** What eight texts take is compared to what one text of their length takes, each the least of five tries. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "'a~~~' + '~'.repeat(n) + '`'",
                "'```' + ' '.repeat(n) + 'x`'",
                "'a ' + '`'.repeat(n)",
                "'['.repeat(n)",
                "'[a'.repeat(n / 2)",
                "'[](' + ' '.repeat(n) + 'x'",
                "'a' + '*'.repeat(n)",
                "'*a '.repeat(n / 3)",
                "'*a**b**'.repeat(n / 7)",
                "'**a'.repeat(n / 3)",
                "'~~a '.repeat(n / 4)",
                "'|\\n-' + ' '.repeat(n) + 'x'",
                "'- a' + '\\n'.repeat(n) + '- b'",
                "'```js\\n' + 'x\\\\\\''.repeat(n / 3)",
            })
    void noTextTakesMoreThanItsLength(String text) {
        try (TestServer server = new TestServer(ServerOptions.builder().alias("tiny")).serveScript();
                Tab page = open(server)) {
            String ratio = """
                    import('/markdown.js').then(({ render }) => {
                      const text = n => %s;
                      const time = (n, times) => {
                        const source = text(n);
                        const start = performance.now();
                        for (let i = 0; i < times; i++) {
                          render(document.createElement('div'), source);
                        }
                        return performance.now() - start;
                      };
                      const least = (n, times) => Math.min(...[1, 2, 3, 4, 5].map(() => time(n, times)));
                      let times = 1;
                      while (time(2000, 8 * times) < 4) {
                        times *= 2;
                      }
                      return least(16000, times) / least(2000, 8 * times);
                    })""".formatted(text);
            assertThat(page.value(ratio).asDouble()).as(text).isLessThan(4); // 8 were it quadratic, 64 cubic
        }
    }

    @Test
    void thePageIsSmallAndAllOfItIsServed() throws IOException {
        Path folder = Path.of(System.getProperty("tern.root"), "java/server/src/main/resources/dev/tern/server/page");
        try (TestServer server = TestServer.ready();
                Stream<Path> list = Files.list(folder)) {
            long sent = 0;
            for (Path file : list.toList()) {
                String name = file.getFileName().toString();
                assertThat(server.get("/" + name).body()).isEqualTo(Files.readString(file));
                URI address = server.server().uri().resolve("/" + name);
                URLConnection connection = address.toURL().openConnection();
                connection.setRequestProperty("Accept-Encoding", "gzip");
                try (InputStream in = connection.getInputStream()) {
                    assertThat(connection.getContentEncoding()).isEqualTo("gzip");
                    sent += in.readAllBytes().length;
                }
            }
            assertThat(sent).isBetween(10_000L, 40_000L);
            assertThat(server.get("/").body()).isEqualTo(Files.readString(folder.resolve("index.html")));
        }
    }
}
