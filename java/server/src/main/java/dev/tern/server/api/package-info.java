/** The way of a request to its endpoint and back: paths, keys, origins, errors, events, the log. */
@NullMarked
package dev.tern.server.api;

import org.jspecify.annotations.NullMarked;
