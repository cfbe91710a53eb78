/**
 * Completions for many at once: requests wait in a queue for a slot, a sequence with its KV cache, and the slots at
 * work share every pass over the weights.
 */
@NullMarked
package dev.tern.server.slots;

import org.jspecify.annotations.NullMarked;
