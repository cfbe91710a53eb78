/** Choosing the next token from logits, and finding stop strings in the text. */
@NullMarked
package dev.tern.sampling;

import org.jspecify.annotations.NullMarked;
