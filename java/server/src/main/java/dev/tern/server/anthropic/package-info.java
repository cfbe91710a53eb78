/** Anthropic's endpoint: messages. */
@NullMarked
package dev.tern.server.anthropic;

import org.jspecify.annotations.NullMarked;
