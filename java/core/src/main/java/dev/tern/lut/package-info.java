/** Look-up-table kernels for the packed matrices of a model: found, built, compared with multiplication, and used. */
@NullMarked
package dev.tern.lut;

import org.jspecify.annotations.NullMarked;
