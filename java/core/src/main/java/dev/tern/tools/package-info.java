/**
 * Chats with tools: how a conversation is fitted to a model's chat template, and how calls of tools and reasoning are
 * read back from the text that the model writes.
 */
@NullMarked
package dev.tern.tools;

import org.jspecify.annotations.NullMarked;
