package dev.tern.server.api;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All paths. A path is looked up in a table and leads to nothing else. Immutable. */
public final class Routes {
    private final Map<String, Route> exact = new LinkedHashMap<>();
    private final List<Route> prefixes = new ArrayList<>();

    public Routes(List<Route> routes) {
        routes.forEach(this::add);
    }

    private void add(Route route) {
        if (route.pattern().length() > 1 && route.pattern().endsWith("/")) {
            prefixes.add(route);
        } else {
            exact.put(route.pattern(), route);
        }
    }

    /** What answers a path. */
    Optional<Route> find(String path) {
        Route route = exact.get(path);
        return route != null
                ? Optional.of(route)
                : prefixes.stream()
                        .filter(prefix -> path.startsWith(prefix.pattern())
                                && path.length() > prefix.pattern().length())
                        .findFirst();
    }
}
