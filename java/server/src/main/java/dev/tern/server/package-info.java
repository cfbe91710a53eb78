/**
 * A model behind HTTP, with the surface of llama-server: its own endpoints, OpenAI's and Anthropic's, as
 * {@code docs/serving.md} lists them.
 */
@NullMarked
package dev.tern.server;

import org.jspecify.annotations.NullMarked;
