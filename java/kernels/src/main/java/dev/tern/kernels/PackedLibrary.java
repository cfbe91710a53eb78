package dev.tern.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32;

/**
 * The native library packed into Tern's jar, unpacked into the user's cache because the system loads libraries from
 * files alone.
 *
 * <p>The file is named by its SHA-256, which is checked when it is unpacked. Each time, size and CRC-32 are compared
 * with what is packed, so that a damaged file is replaced and never loaded. (The JVM computes CRC-32 at the speed of
 * memory from its first instruction on; SHA-256 of a library takes it longer than loading it does.) A CRC can be
 * forged: what keeps others' files out is the folder, which must belong to the user and is closed to everybody else, as
 * whoever can write there could run code as the user. The file appears by an atomic rename; processes that unpack at
 * once replace each other's equal files.
 */
final class PackedLibrary {
    private final NativeSetting setting;
    private final String resource;

    PackedLibrary(NativeSetting setting) {
        this.setting = setting;
        this.resource = "dev/tern/kernels/native/" + setting.platform() + "/" + setting.libraryName();
    }

    /**
     * The verified file, unpacked first when need be.
     *
     * @throws KernelUnavailableException with the reason and the cure
     */
    Path file() {
        String hash = expectedHash();
        Path folder = KernelCache.folder(setting, "native");
        Path file = folder.resolve(setting.libraryName().replace("libtern", "libtern-" + hash));
        try {
            if (!isPacked(file)) {
                unpack(folder, file, hash);
                if (!holds(file, hash)) {
                    throw new KernelUnavailableException(
                            file + ": changed while it was written; make sure that nothing else writes to " + folder);
                }
            }
            return file;
        } catch (IOException e) {
            throw KernelCache.unwritable(folder, e);
        }
    }

    private String expectedHash() {
        try (InputStream in = setting.resources().open(resource + ".sha256")) {
            if (in == null) {
                throw new KernelUnavailableException("this build of Tern has no native kernels for "
                        + setting.platform() + " (" + resource + " is missing); build Tern on such a machine without "
                        + "-Dtern.native=off, or name a library with TERN_LIBRARY");
            }
            String hash = new String(in.readNBytes(200), StandardCharsets.US_ASCII).strip();
            if (!hash.matches("[0-9a-f]{64}")) {
                throw new KernelUnavailableException(
                        resource + ".sha256: expected 64 hex digits, found \"" + hash + "\"; reinstall Tern");
            }
            return hash;
        } catch (IOException e) {
            throw new KernelUnavailableException(resource + ".sha256: " + e + "; reinstall Tern");
        }
    }

    /** Whether this is a regular file with that SHA-256. */
    static boolean holds(Path file, String hash) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return sha256(in, OutputStream.nullOutputStream()).equals(hash);
        }
    }

    /** Whether this is a regular file with the size and the CRC-32 of what is packed. */
    private boolean isPacked(Path file) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (InputStream in = setting.resources().open(resource)) {
            if (in == null) {
                return false;
            }
            byte[] packed = in.readAllBytes();
            return Files.size(file) == packed.length && crc32(packed) == crc32(Files.readAllBytes(file));
        }
    }

    private static long crc32(byte[] bytes) {
        CRC32 sum = new CRC32();
        sum.update(bytes);
        return sum.getValue();
    }

    private void unpack(Path folder, Path file, String hash) throws IOException {
        Path temporary = Files.createTempFile(folder, "libtern-", ".unpacking");
        try {
            String found;
            try (InputStream in = setting.resources().open(resource);
                    OutputStream out = Files.newOutputStream(temporary)) {
                if (in == null) {
                    throw new KernelUnavailableException(resource + ": missing beside its .sha256; reinstall Tern");
                }
                found = sha256(in, out);
            }
            if (!found.equals(hash)) {
                throw new KernelUnavailableException(
                        resource + ": damaged: SHA-256 is " + found + ", expected " + hash + "; reinstall Tern");
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /** Copies to the end; the SHA-256 of what passed, in hex. */
    private static String sha256(InputStream in, OutputStream out) throws IOException {
        try {
            DigestInputStream digested = new DigestInputStream(in, MessageDigest.getInstance("SHA-256"));
            digested.transferTo(out);
            return HexFormat.of().formatHex(digested.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }
}
