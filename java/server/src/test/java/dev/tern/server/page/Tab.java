package dev.tern.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.server.json.Json;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** A page of a {@link Browser}, as a user has it: keys, text, what is to be seen. For one thread. */
final class Tab implements AutoCloseable {
    static final int ALT = 1;
    static final int SHIFT = 8;
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(30); // after which what is waited for does not come
    private static final Map<String, Integer> CODES =
            Map.of("Enter", 13, "Escape", 27, "Tab", 9, "ArrowUp", 38, "ArrowDown", 40, "Space", 32);

    /** Addresses that the page has asked for. */
    final List<String> requests = new CopyOnWriteArrayList<>();

    /** What went wrong in the page: exceptions, and what its policy forbade. */
    final List<String> problems = new CopyOnWriteArrayList<>();

    private final Browser browser;
    private final String context;
    private final String session;

    Tab(Browser browser, String context, String session) {
        this.browser = browser;
        this.context = context;
        this.session = session;
        browser.listen(session, this::happened);
        for (String domain : List.of("Page", "Runtime", "Network", "Log")) {
            call(domain + ".enable", Json.object());
        }
        size(1200, 800, false);
    }

    private void happened(String method, JsonNode parameters) {
        switch (method) {
            case "Network.requestWillBeSent" ->
                requests.add(parameters.path("request").path("url").asString());
            case "Runtime.exceptionThrown" -> problems.add(parameters.toString());
            case "Log.entryAdded" -> {
                String source = parameters.path("entry").path("source").asString();
                if (source.equals("security") || source.equals("javascript")) {
                    problems.add(parameters.toString());
                }
            }
            default -> {}
        }
    }

    JsonNode call(String method, ObjectNode parameters) {
        return browser.call(session, method, parameters);
    }

    void go(URI address) {
        call("Page.navigate", Json.object().put("url", address.toString()));
        waitFor("document.readyState === 'complete' && location.href.startsWith('" + address + "')");
    }

    void reload() {
        run("window.old = true");
        call("Page.reload", Json.object());
        waitFor("!window.old && document.readyState === 'complete'");
    }

    /** The value of an expression. */
    JsonNode value(String expression) {
        ObjectNode parameters =
                Json.object().put("expression", expression).put("awaitPromise", true).put("returnByValue", true);
        JsonNode result = call("Runtime.evaluate", parameters.put("userGesture", true));
        assertThat(result.has("exceptionDetails")).as(expression + ": " + result).isFalse();
        return result.path("result").path("value");
    }

    void run(String statement) {
        value(statement + ";0");
    }

    String text(String selector) {
        return value("document.querySelector('" + selector + "').innerText").asString();
    }

    int count(String selector) {
        return value("document.querySelectorAll('" + selector + "').length").asInt();
    }

    void waitFor(String condition) {
        long start = System.nanoTime();
        while (!value("Boolean(" + condition + ")").asBoolean()) {
            if (System.nanoTime() - start > PATIENCE) {
                throw new AssertionError("this never came: " + condition + "\n" + value("document.body.innerText")
                        + problems);
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** Waits until an element has a text. */
    void waitForText(String selector, String part) {
        String array = Json.text(Json.array().add(part));
        waitFor("document.querySelector('" + selector + "')?.innerText.includes(" + array + "[0])");
    }

    void click(String selector) {
        waitFor("document.querySelector('" + selector + "')");
        run("document.querySelector('" + selector + "').click()");
    }

    /** Types where the focus is. */
    void type(String text) {
        call("Input.insertText", Json.object().put("text", text));
    }

    void press(String key) {
        press(key, 0);
    }

    /** Presses a key: by its name, or a letter. */
    void press(String key, int modifiers) {
        boolean letter = key.length() == 1;
        ObjectNode event = Json.object()
                .put("key", letter ? key.toLowerCase(Locale.ROOT) : key)
                .put("code", letter ? "Key" + key : key)
                .put("modifiers", modifiers)
                .put("windowsVirtualKeyCode", letter ? key.charAt(0) : CODES.get(key));
        if (key.equals("Enter")) {
            call("Input.dispatchKeyEvent", event.deepCopy().put("type", "keyDown").put("text", "\r"));
        } else {
            call("Input.dispatchKeyEvent", event.put("type", "rawKeyDown"));
        }
        call("Input.dispatchKeyEvent", event.put("type", "keyUp"));
    }

    void size(int width, int height, boolean phone) {
        call(
                "Emulation.setDeviceMetricsOverride",
                Json.object()
                        .put("width", width)
                        .put("height", height)
                        .put("deviceScaleFactor", 1)
                        .put("mobile", phone));
        call("Emulation.setTouchEmulationEnabled", Json.object().put("enabled", phone));
    }

    /** What the system of the user asks of pages, such as {@code prefers-color-scheme}. */
    void prefer(String feature, String value) {
        ObjectNode parameters = Json.object();
        parameters.putArray("features").addObject().put("name", feature).put("value", value);
        call("Emulation.setEmulatedMedia", parameters);
    }

    /** Writes what is to be seen to a PNG file, for people, in the folder of {@code -Dtern.screenshots}. */
    void screenshot(String name) throws IOException {
        String folder = System.getProperty("tern.screenshots");
        if (folder != null) {
            String data = call("Page.captureScreenshot", Json.object()).path("data").asString();
            Files.createDirectories(Path.of(folder));
            Files.write(Path.of(folder, name + ".png"), Base64.getDecoder().decode(data));
        }
    }

    @Override
    public void close() {
        browser.close(context);
    }
}
