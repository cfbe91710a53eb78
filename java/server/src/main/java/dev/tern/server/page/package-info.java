/** The chat page: its files, and what serves them. */
@NullMarked
package dev.tern.server.page;

import org.jspecify.annotations.NullMarked;
