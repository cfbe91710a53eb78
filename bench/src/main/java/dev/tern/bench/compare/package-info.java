/** Runs of the benchmarks beside each other: ratios of speed, and how far they can be trusted. */
@NullMarked
package dev.tern.bench.compare;

import org.jspecify.annotations.NullMarked;
