package dev.tern.template;

import org.jspecify.annotations.Nullable;

/** A function, a method of a value, or a macro. */
@FunctionalInterface
interface Callable {
    @Nullable Object call(Arguments arguments);
}
