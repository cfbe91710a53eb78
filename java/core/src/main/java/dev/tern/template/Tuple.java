package dev.tern.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's tuple. */
record Tuple(List<@Nullable Object> items) {}
