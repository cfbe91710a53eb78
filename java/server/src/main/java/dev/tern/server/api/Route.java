package dev.tern.server.api;

import java.util.Map;
import java.util.TreeSet;

/**
 * A path and what answers it.
 *
 * @param pattern the path, or the beginning of paths when it ends in a slash and is not the slash alone; names it in
 *     the log
 * @param open whether it answers without a key, while the model is loaded, and however many requests are at work
 * @param anthropic whether its errors look like Anthropic's
 * @param endpoints by method
 */
public record Route(String pattern, boolean open, boolean anthropic, Map<String, Endpoint> endpoints) {

    public static Route get(String pattern, Endpoint endpoint) {
        return new Route(pattern, false, false, Map.of("GET", endpoint));
    }

    public static Route post(String pattern, Endpoint endpoint) {
        return new Route(pattern, false, false, Map.of("POST", endpoint));
    }

    public static Route open(String pattern, Endpoint endpoint) {
        return new Route(pattern, true, false, Map.of("GET", endpoint));
    }

    public static Route anthropic(String pattern, Endpoint endpoint) {
        return new Route(pattern, false, true, Map.of("POST", endpoint));
    }

    /** All methods it answers, as {@code Allow} lists them. */
    String allow() {
        TreeSet<String> methods = new TreeSet<>(endpoints.keySet());
        if (methods.contains("GET")) {
            methods.add("HEAD");
        }
        methods.add("OPTIONS");
        return String.join(", ", methods);
    }
}
