package dev.tern.source;

import java.io.IOException;

/**
 * The value of an {@code Authorization} header, made when a request needs it, since tokens expire. Secret: never
 * shown.
 */
@FunctionalInterface
interface Authorization {
    /** Goes without. */
    Authorization NONE = () -> "";

    /** The header's value, empty for none. */
    String header() throws IOException, InterruptedException;
}
