/** llama-server's own endpoints. */
@NullMarked
package dev.tern.server.llama;

import org.jspecify.annotations.NullMarked;
