package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** What ships: the library inside the packed jar. Runs at {@code verify}, when there is a jar. */
class PackedJarCheck {
    private final NativeSetting setting = NativeSetting.ofThisProcess();
    private final String resource = "dev/tern/kernels/native/" + setting.platform() + "/" + setting.libraryName();

    @Test
    void holdsTheLibraryThatWasBuilt() throws Exception {
        try (JarFile jar = jar()) {
            List<String> natives = jar.stream()
                    .filter(entry -> !entry.isDirectory() && entry.getName().startsWith("dev/tern/kernels/native/"))
                    .map(ZipEntry::getName)
                    .toList();
            if ("off".equals(System.getProperty("tern.native"))) {
                assertThat(natives).as("a jar built with -Dtern.native=off").isEmpty();
                return;
            }
            assertThat(natives).containsExactlyInAnyOrder(resource, resource + ".sha256");
            byte[] packed = read(jar, resource);
            Path built = Path.of(System.getProperty("tern.native.build"), setting.libraryName());
            assertThat(packed).isEqualTo(Files.readAllBytes(built));
            String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(packed));
            assertThat(new String(read(jar, resource + ".sha256"), StandardCharsets.US_ASCII).strip()).isEqualTo(hash);
        }
    }

    @Test
    void itsLibraryExportsTheHeadersFunctionsAndNothingElse() throws IOException {
        Assumptions.assumeTrue(setting.platform().startsWith("linux"), "reads ELF");
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        try (JarFile jar = jar()) {
            assertThat(ElfSymbols.exportedBy(read(jar, resource)))
                    .containsExactlyInAnyOrderElementsOf(Header.read().functions().sequencedKeySet());
        }
    }

    @Test
    void keepsTheBindingsToItself() throws IOException {
        Module module = KernelChoice.class.getModule();
        assertThat(module.isNamed()).isTrue();
        assertThat(module.isExported("dev.tern.kernels")).isTrue();
        assertThat(module.isExported("dev.tern.kernels.ffi")).isFalse();
    }

    private static JarFile jar() throws IOException {
        return new JarFile(System.getProperty("tern.kernels.jar"));
    }

    private static byte[] read(JarFile jar, String name) throws IOException {
        try (InputStream in = jar.getInputStream(jar.getEntry(name))) {
            return in.readAllBytes();
        }
    }
}
