package dev.tern.server.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiConsumer;

/** Header fields in the order in which they were added. Names are compared without case. Not thread-safe. */
public final class Headers {
    private final List<String> names = new ArrayList<>();
    private final List<String> values = new ArrayList<>();

    /** Adds a field. */
    public Headers add(String name, String value) {
        names.add(name);
        values.add(value);
        return this;
    }

    /** Adds all fields of another one. */
    public Headers addAll(Headers other) {
        other.forEach(this::add);
        return this;
    }

    /** The first value of the name. */
    public Optional<String> first(String name) {
        for (int i = 0; i < names.size(); i++) {
            if (names.get(i).equalsIgnoreCase(name)) {
                return Optional.of(values.get(i));
            }
        }
        return Optional.empty();
    }

    /** All values of the name. */
    public List<String> all(String name) {
        List<String> found = new ArrayList<>();
        forEach((key, value) -> {
            if (key.equalsIgnoreCase(name)) {
                found.add(value);
            }
        });
        return found;
    }

    /** Whether a field that is a list of tokens has this one, such as {@code close} in {@code Connection}. */
    public boolean hasToken(String name, String token) {
        for (String value : all(name)) {
            for (String part : value.split(",", -1)) {
                if (part.strip().toLowerCase(Locale.ROOT).equals(token)) {
                    return true;
                }
            }
        }
        return false;
    }

    int size() {
        return names.size();
    }

    void forEach(BiConsumer<String, String> action) {
        for (int i = 0; i < names.size(); i++) {
            action.accept(names.get(i), values.get(i));
        }
    }
}
