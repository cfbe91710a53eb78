/**
 * A model behind HTTP, with the surface of llama-server: its own endpoints, OpenAI's and Anthropic's, as
 * {@code docs/serving.md} lists them. A request comes in through {@code http}, finds its endpoint through {@code api},
 * is read by one of {@code openai}, {@code anthropic}, {@code llama}, {@code embedding} and {@code page}, over what
 * these share in {@code completion} and {@code chat}, and is computed in {@link dev.tern.server.slots}.
 */
@NullMarked
package dev.tern.server;

import org.jspecify.annotations.NullMarked;
