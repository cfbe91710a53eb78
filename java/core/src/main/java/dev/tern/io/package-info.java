/** Files that are mapped, replaced atomically, or at fault. */
@NullMarked
package dev.tern.io;

import org.jspecify.annotations.NullMarked;
