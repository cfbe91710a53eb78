/** Benchmarks of kernels, of the library's parts and of whole models. */
@NullMarked
package dev.tern.bench;

import org.jspecify.annotations.NullMarked;
