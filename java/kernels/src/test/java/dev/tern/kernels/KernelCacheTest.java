package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders of the cache; that foreign and unwritable ones are refused, NativeLibraryTest shows on the way to libtern. */
class KernelCacheTest {
    private @TempDir Path folder;

    private NativeSetting cache(String path) {
        NativeSetting real = NativeSetting.ofThisProcess();
        return new NativeSetting(Map.of("TERN_CACHE", path), real.osName(), real.osArch(), folder, real.resources());
    }

    private static String permissions(Path of) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(of));
    }

    @Test
    void everyFolderThatIsMadeIsTheOwnersAlone() throws IOException {
        NativeSetting setting = cache(folder.resolve("a/b").toString());
        Path made = KernelCache.folder(setting, "lut/deeper");
        assertThat(made).isEqualTo(folder.resolve("a/b/lut/deeper")).isDirectory();
        for (Path of = made; !of.equals(folder); of = of.getParent()) {
            assertThat(permissions(of)).as(of.toString()).isEqualTo("rwx------");
        }
        assertThat(KernelCache.folder(setting, "lut/deeper")).isEqualTo(made);
    }

    @Test
    void aFolderOpenToOthersIsClosed() throws IOException {
        Path open = Files.createDirectory(folder.resolve("lut"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxr-x"));
        assertThat(KernelCache.folder(cache(folder.toString()), "lut")).isEqualTo(open);
        assertThat(permissions(open)).isEqualTo("rwx------");
    }

    @Test
    void aCacheThatEverybodyCanWriteToIsRefused() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatThrownBy(() -> KernelCache.folder(cache(folder.toString()), "lut"))
                .isInstanceOf(KernelUnavailableException.class)
                .hasMessageStartingWith(folder + ": everybody can write there");
        Files.setAttribute(folder, "unix:mode", 01777); // as /tmp
        assertThat(KernelCache.folder(cache(folder.toString()), "lut")).isDirectory();
    }

    @Test
    void aFileOrALinkInItsPlaceIsRefused() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), Files.createDirectory(folder.resolve("target")));
        for (Path wrong : new Path[] {file, link}) {
            assertThatThrownBy(() -> KernelCache.folder(cache(folder.toString()), wrong.getFileName().toString()))
                    .isInstanceOf(KernelUnavailableException.class)
                    .hasMessage(wrong + ": not a folder; remove it, or point TERN_CACHE to another place");
        }
        assertThatThrownBy(() -> KernelCache.folder(cache(file.toString()), "lut"))
                .isInstanceOf(KernelUnavailableException.class)
                .hasMessageStartingWith(file.resolve("lut") + ": native libraries cannot be kept there: ");
    }

    @Test
    void aVariableThatNamesNoPathIsRefused() {
        assertThatThrownBy(() -> KernelCache.folder(cache("a\0b"), "lut"))
                .isInstanceOf(KernelUnavailableException.class)
                .hasMessageStartingWith("TERN_CACHE or XDG_CACHE_HOME names no path");
    }
}
