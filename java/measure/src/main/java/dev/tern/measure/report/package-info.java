/** A comparison as a page and as Markdown: the same numbers, the same sentences. */
@NullMarked
package dev.tern.measure.report;

import org.jspecify.annotations.NullMarked;
