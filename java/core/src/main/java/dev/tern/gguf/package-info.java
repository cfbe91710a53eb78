/** GGUF files: reader and writer. */
@NullMarked
package dev.tern.gguf;

import org.jspecify.annotations.NullMarked;
