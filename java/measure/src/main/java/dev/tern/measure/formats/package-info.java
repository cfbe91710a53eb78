/**
 * Measures the formats of one checkpoint: converts it to each, holds each against the checkpoint's own predictions, and
 * lets them take turns, each in a process of its own.
 */
@NullMarked
package dev.tern.measure.formats;

import org.jspecify.annotations.NullMarked;
