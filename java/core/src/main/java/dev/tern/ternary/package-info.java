/** Ternary matrices, (T, s), and their encodings in GGUF. */
@NullMarked
package dev.tern.ternary;

import org.jspecify.annotations.NullMarked;
