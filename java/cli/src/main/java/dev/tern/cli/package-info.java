/** The commands of {@code tern}: one class each, over the library {@code dev.tern}. Results go to stdout, all else to stderr. */
@NullMarked
package dev.tern.cli;

import org.jspecify.annotations.NullMarked;
