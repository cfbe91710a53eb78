/** Guessing the tokens to come, and how many guesses are worth a pass. */
@NullMarked
package dev.tern.speculation;

import org.jspecify.annotations.NullMarked;
