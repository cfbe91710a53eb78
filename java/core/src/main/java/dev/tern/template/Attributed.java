package dev.tern.template;

import org.jspecify.annotations.Nullable;

/** A value with attributes of its own, beside those that Python's values have. */
interface Attributed {
    /** Undefined where there is none of this name. */
    @Nullable Object attribute(String name);
}
