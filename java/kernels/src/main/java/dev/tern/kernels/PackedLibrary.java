package dev.tern.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;

/**
 * The native library packed into Tern's jar, unpacked into the user's cache because the system loads libraries from
 * files alone.
 *
 * <p>The file is named by its SHA-256 and compared with it each time, so that a damaged or foreign file is replaced and
 * never loaded. It appears by an atomic rename; processes that unpack at once replace each other's equal files. Its
 * folder must belong to the user and is closed to others: whoever can write there could run code as the user.
 */
final class PackedLibrary {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");

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
        Path folder = folder();
        Path file = folder.resolve(setting.libraryName().replace("libtern", "libtern-" + hash));
        try {
            if (!holds(file, hash)) {
                unpack(folder, file, hash);
                if (!holds(file, hash)) {
                    throw new KernelUnavailableException(
                            file + ": changed while it was written; make sure that nothing else writes to " + folder);
                }
            }
            return file;
        } catch (IOException e) {
            throw unwritable(folder, e);
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

    /** The folder of native libraries in the cache: there, the user's own, closed to others. */
    private Path folder() {
        Path folder;
        try {
            folder = setting.cache().resolve("native");
        } catch (InvalidPathException e) {
            throw new KernelUnavailableException("TERN_CACHE or XDG_CACHE_HOME names no path: " + e.getMessage());
        }
        try {
            createOwnerOnly(folder);
            if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
                throw new KernelUnavailableException(
                        folder + ": not a folder; remove it, or point TERN_CACHE to another place");
            }
            UserPrincipal owner = Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS);
            UserPrincipal user = user(folder);
            if (!owner.equals(user)) {
                throw new KernelUnavailableException(folder + ": belongs to " + owner.getName() + ", expected "
                        + user.getName() + "; point TERN_CACHE to a folder of your own");
            }
            if (!Files.getPosixFilePermissions(folder).equals(OWNER_ONLY)) {
                Files.setPosixFilePermissions(folder, OWNER_ONLY);
            }
            return folder;
        } catch (IOException e) {
            throw unwritable(folder, e);
        }
    }

    /** Creates the folder and those above it that are missing, each open to its owner alone. */
    private static void createOwnerOnly(Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        }
    }

    /** Who runs this process. {@code user.name} is "?" for a user without an account, as in many containers. */
    private static UserPrincipal user(Path anyPath) throws IOException {
        Path process = Path.of("/proc/self");
        return Files.exists(process)
                ? Files.getOwner(process)
                : anyPath.getFileSystem()
                        .getUserPrincipalLookupService()
                        .lookupPrincipalByName(System.getProperty("user.name"));
    }

    private static boolean holds(Path file, String hash) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return sha256(in, OutputStream.nullOutputStream()).equals(hash);
        }
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

    private static KernelUnavailableException unwritable(Path folder, IOException e) {
        String reason =
                switch (e) {
                    case AccessDeniedException denied -> "permission denied";
                    case NoSuchFileException missing -> "it cannot be created";
                    case FileSystemException file when file.getReason() != null -> file.getReason();
                    default -> String.valueOf(e.getMessage());
                };
        return new KernelUnavailableException(folder + ": the native library cannot be unpacked there: " + reason
                + "; make it a folder you can write to, or point TERN_CACHE to one");
    }
}
