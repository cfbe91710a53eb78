package dev.tern.browser;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A page of a {@link Browser}, as a user has it: keys, text, what is to be seen. For one thread. */
public final class Tab implements AutoCloseable {
    public static final int ALT = 1;
    public static final int SHIFT = 8;
    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(30); // after which what is waited for does not come
    private static final Map<String, Integer> CODES =
            Map.of("Enter", 13, "Escape", 27, "Tab", 9, "ArrowUp", 38, "ArrowDown", 40, "Space", 32);

    /** Addresses that the page has asked for. */
    public final List<String> requests = new CopyOnWriteArrayList<>();

    /** What went wrong in the page: exceptions, and what its policy forbade. */
    public final List<String> problems = new CopyOnWriteArrayList<>();

    private final Browser browser;
    private final String context;
    private final String session;
    private final Map<String, String> preferences = new TreeMap<>();
    private String media = "";

    Tab(Browser browser, String context, String session) {
        this.browser = browser;
        this.context = context;
        this.session = session;
        browser.listen(session, this::happened);
        for (String domain : List.of("Page", "Runtime", "Network", "Log")) {
            call(domain + ".enable", MAPPER.createObjectNode());
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

    /** Calls a method of the DevTools protocol. */
    public JsonNode call(String method, ObjectNode parameters) {
        return browser.call(session, method, parameters);
    }

    /** Opens an address and waits until all of it is there. */
    public void go(URI address) {
        call("Page.navigate", MAPPER.createObjectNode().put("url", address.toString()));
        waitFor("document.readyState === 'complete' && location.href.startsWith('" + address + "')");
    }

    /** Loads the page again and waits until all of it is there. */
    public void reload() {
        run("window.old = true");
        call("Page.reload", MAPPER.createObjectNode());
        waitFor("!window.old && document.readyState === 'complete'");
    }

    /** The value of an expression. */
    public JsonNode value(String expression) {
        ObjectNode parameters = MAPPER.createObjectNode()
                .put("expression", expression)
                .put("awaitPromise", true)
                .put("returnByValue", true);
        JsonNode result = call("Runtime.evaluate", parameters.put("userGesture", true));
        assertThat(result.has("exceptionDetails")).as(expression + ": " + result).isFalse();
        return result.path("result").path("value");
    }

    /** Runs a statement. */
    public void run(String statement) {
        value(statement + ";0");
    }

    /** The text of an element as it is to be seen. */
    public String text(String selector) {
        return value("document.querySelector('" + selector + "').innerText").asString();
    }

    /** How many elements a selector finds. */
    public int count(String selector) {
        return value("document.querySelectorAll('" + selector + "').length").asInt();
    }

    /** Waits until an expression is true, and fails when it stays false. */
    public void waitFor(String condition) {
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
    public void waitForText(String selector, String part) {
        String array = MAPPER.writeValueAsString(List.of(part));
        waitFor("document.querySelector('" + selector + "')?.innerText.includes(" + array + "[0])");
    }

    /** Waits for an element and clicks on it. */
    public void click(String selector) {
        waitFor("document.querySelector('" + selector + "')");
        run("document.querySelector('" + selector + "').click()");
    }

    /** Types where the focus is. */
    public void type(String text) {
        call("Input.insertText", MAPPER.createObjectNode().put("text", text));
    }

    /** Presses a key: by its name, or a letter. */
    public void press(String key) {
        press(key, 0);
    }

    /** Presses a key with {@link #ALT} or {@link #SHIFT}. */
    public void press(String key, int modifiers) {
        boolean letter = key.length() == 1;
        ObjectNode event = MAPPER.createObjectNode()
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

    /** How large what is to be seen is, in CSS pixels; a phone has touch and no mouse. */
    public void size(int width, int height, boolean phone) {
        call(
                "Emulation.setDeviceMetricsOverride",
                MAPPER.createObjectNode()
                        .put("width", width)
                        .put("height", height)
                        .put("deviceScaleFactor", 1)
                        .put("mobile", phone));
        call("Emulation.setTouchEmulationEnabled", MAPPER.createObjectNode().put("enabled", phone));
    }

    /** What the system of the user asks of pages, such as {@code prefers-color-scheme}. */
    public void prefer(String feature, String value) {
        preferences.put(feature, value);
        emulate();
    }

    /** What the page is shown on: {@code screen} or {@code print}. */
    public void media(String type) {
        media = type;
        emulate();
    }

    private void emulate() {
        ObjectNode parameters = MAPPER.createObjectNode().put("media", media);
        ArrayNode features = parameters.putArray("features");
        preferences.forEach((feature, value) -> features.addObject().put("name", feature).put("value", value));
        call("Emulation.setEmulatedMedia", parameters);
    }

    /** Texts to be seen whose contrast is below 4.5 (WCAG 2.2, 1.4.3), and what it is. */
    public List<String> faintTexts() {
        return value(Contrast.FAINT_TEXTS).valueStream().map(JsonNode::asString).toList();
    }

    /** Writes what is to be seen to a PNG file, for people, in the folder of {@code -Dtern.screenshots}. */
    public void screenshot(String name) throws IOException {
        String folder = System.getProperty("tern.screenshots");
        if (folder != null) {
            String data = call("Page.captureScreenshot", MAPPER.createObjectNode()).path("data").asString();
            Files.createDirectories(Path.of(folder));
            Files.write(Path.of(folder, name + ".png"), Base64.getDecoder().decode(data));
        }
    }

    @Override
    public void close() {
        browser.close(context);
    }
}
