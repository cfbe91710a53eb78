package dev.tern.template;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The one thing that a template may change: {@code namespace(x = 1)}, {@code {% set ns.x = 2 %}}. */
final class Namespace {
    final Map<String, @Nullable Object> attributes = new LinkedHashMap<>();
}
