/** Model dimensions to the shapes of the ternary matrices that kernels must serve. Knows nothing of files. */
@NullMarked
package dev.tern.codegen;

import org.jspecify.annotations.NullMarked;
