package dev.tern.kernels;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;

/**
 * Where native libraries are kept: folders of {@code $TERN_CACHE}, {@code $XDG_CACHE_HOME/tern} or {@code ~/.cache/tern}. Each
 * must belong to the user and is closed to others: whoever can write there could run code as the user.
 */
public final class KernelCache {
    private static final int OTHERS_WRITE = 02;
    private static final int STICKY = 01000;
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");

    private KernelCache() {}

    /**
     * A folder of the cache: made if need be, the user's own, closed to others.
     *
     * @param name one or more names, separated by slashes
     * @throws KernelUnavailableException when there can be none, with the reason and the cure
     */
    public static Path folder(String name) {
        return folder(NativeSetting.ofThisProcess(), name);
    }

    static Path folder(NativeSetting setting, String name) {
        Path folder;
        try {
            folder = setting.cache().resolve(name);
        } catch (InvalidPathException e) {
            throw new KernelUnavailableException("TERN_CACHE or XDG_CACHE_HOME names no path: " + e.getMessage());
        }
        try {
            createOwnerOnly(folder);
            requireNotPublic(folder.getParent());
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

    /** Where everybody can write, and the sticky bit does not keep them off each other's files, a folder can be swapped. */
    private static void requireNotPublic(Path parent) throws IOException {
        int mode = (Integer) Files.getAttribute(parent, "unix:mode");
        if ((mode & OTHERS_WRITE) != 0 && (mode & STICKY) == 0) {
            throw new KernelUnavailableException(parent + ": everybody can write there, and so put a library of theirs in;"
                    + " close it (chmod o-w), or point TERN_CACHE to a folder of your own");
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

    static KernelUnavailableException unwritable(Path folder, IOException e) {
        String reason =
                switch (e) {
                    case AccessDeniedException denied -> "permission denied";
                    case NoSuchFileException missing -> "it cannot be created";
                    case FileSystemException file when file.getReason() != null -> file.getReason();
                    default -> String.valueOf(e.getMessage());
                };
        return new KernelUnavailableException(folder + ": native libraries cannot be kept there: " + reason
                + "; make it a folder you can write to, or point TERN_CACHE to one");
    }
}
