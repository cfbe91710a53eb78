/** Says what a GGUF file or a checkpoint is, and what is wrong with it. */
@NullMarked
package dev.tern.inspect;

import org.jspecify.annotations.NullMarked;
