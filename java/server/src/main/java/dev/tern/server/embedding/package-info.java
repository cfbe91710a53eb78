/** Embeddings, as OpenAI and as llama-server have them. */
@NullMarked
package dev.tern.server.embedding;

import org.jspecify.annotations.NullMarked;
