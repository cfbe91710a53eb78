/** The safetensors container: a JSON header that places named tensors in one file, read mapped and written streamed. */
@NullMarked
package dev.tern.safetensors;

import org.jspecify.annotations.NullMarked;
