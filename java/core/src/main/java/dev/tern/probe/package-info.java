/** Runs models block by block, in little memory, to see what they predict: for validation and inspection. Not exported. */
@NullMarked
package dev.tern.probe;

import org.jspecify.annotations.NullMarked;
