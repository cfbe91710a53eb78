/** Completions as requests ask for them and answers tell of them, whatever the surface. */
@NullMarked
package dev.tern.server.completion;

import org.jspecify.annotations.NullMarked;
