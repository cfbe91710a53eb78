/** Finds out on this machine which tiles make look-up-table kernels fastest. */
@NullMarked
package dev.tern.tune;

import org.jspecify.annotations.NullMarked;
