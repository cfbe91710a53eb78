/**
 * The formats of one model, and other engines, beside each other: everything that a report shows. The records are the
 * JSON form, too; whatever a report prints is one of their numbers or follows from them.
 */
@NullMarked
package dev.tern.measure.comparison;

import org.jspecify.annotations.NullMarked;
