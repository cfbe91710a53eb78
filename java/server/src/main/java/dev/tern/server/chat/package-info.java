/** Chats as requests ask for them: conversations, what their answers must follow, and answers read as they come. */
@NullMarked
package dev.tern.server.chat;

import org.jspecify.annotations.NullMarked;
