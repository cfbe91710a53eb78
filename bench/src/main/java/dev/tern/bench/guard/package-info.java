/**
 * Whether every fast path is fast: ratios within one run, which a slow machine does not change and a busy one hardly.
 */
@NullMarked
package dev.tern.bench.guard;

import org.jspecify.annotations.NullMarked;
