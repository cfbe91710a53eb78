/**
 * HTTP/1.1 over virtual threads: strict about what it reads, and with a limit on everything that a client can make it
 * hold or wait for. The JDK's own server cannot notice that a client left before something is written to it, has no
 * limit on the time of a write, and takes its other limits from system properties of the whole process.
 */
@NullMarked
package dev.tern.server.http;

import org.jspecify.annotations.NullMarked;
