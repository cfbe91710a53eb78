package dev.tern.source;

import java.net.URI;
import java.util.List;

/**
 * A file on a server.
 *
 * @param name under which it is kept
 * @param size in bytes, or -1 when the server does not say
 * @param uri where its bytes are
 * @param authorization that the address needs
 * @param checksums that its bytes must have
 * @param identity of its contents: two files with the same identity are the same
 * @param validator for {@code If-Range}: a strong entity tag or a date; empty when the address itself never changes its
 *     contents, or when the server has none
 * @param resumable whether a part of it can be told to be of the same contents later
 */
record RemoteFile(
        String name,
        long size,
        URI uri,
        Authorization authorization,
        List<Checksum> checksums,
        String identity,
        String validator,
        boolean resumable) {

    RemoteFile {
        checksums = List.copyOf(checksums);
    }
}
