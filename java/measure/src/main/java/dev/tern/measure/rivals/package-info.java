/**
 * Other engines, run as whoever installed them says in a file, on the terms on which Tern's own formats are measured.
 *
 * <p>Equal terms are: the same numbers of threads, of prompt tokens and of generated tokens; one process a run, with
 * whatever it does to warm up and its model in the page cache; turns, so that each round runs every engine once; and
 * medians. What a run cannot have in common with the others is said beside its result.
 */
@NullMarked
package dev.tern.measure.rivals;

import org.jspecify.annotations.NullMarked;
