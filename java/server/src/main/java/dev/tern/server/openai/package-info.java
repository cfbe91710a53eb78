/** OpenAI's endpoints: chats, responses, completions, models. */
@NullMarked
package dev.tern.server.openai;

import org.jspecify.annotations.NullMarked;
