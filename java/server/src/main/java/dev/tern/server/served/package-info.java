/** What is served: a model, how its conversations become prompts, and the grammars its answers follow. */
@NullMarked
package dev.tern.server.served;

import org.jspecify.annotations.NullMarked;
