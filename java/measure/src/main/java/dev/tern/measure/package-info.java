/** What is measured of a machine and of a model: repeated runs, their spread, and the limits they are held against. */
@NullMarked
package dev.tern.measure;

import org.jspecify.annotations.NullMarked;
