/**
 * The kernels of a ternary language model over off-heap memory.
 *
 * <p>{@link dev.tern.kernels.Kernels} names them; {@code ReferenceKernels} defines them in plain Java;
 * {@code NativeKernels} calls the C library, which gives the same bits. Knows nothing of files or models.
 */
@NullMarked
package dev.tern.kernels;

import org.jspecify.annotations.NullMarked;
