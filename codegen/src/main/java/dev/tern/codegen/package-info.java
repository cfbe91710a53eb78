/**
 * Model dimensions to the kernels that a model needs: the shapes of its ternary matrices
 * ({@link dev.tern.codegen.ModelShape}), what the look-up-table formats allow ({@link dev.tern.codegen.LutFormat}), the
 * tiles that suit ({@link dev.tern.codegen.KernelPlanner}), the file that keeps them
 * ({@link dev.tern.codegen.KernelConfig}), and the C that is made of them, for Tern
 * ({@link dev.tern.codegen.HeaderGenerator}) and for bitnet.cpp ({@link dev.tern.codegen.BitnetCppHeader}). Knows nothing of files: texts come in and go out as strings.
 */
@NullMarked
package dev.tern.codegen;

import org.jspecify.annotations.NullMarked;
