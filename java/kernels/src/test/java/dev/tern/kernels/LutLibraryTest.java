package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Libraries beside libtern: what is opened, and what is said about all others. */
class LutLibraryTest {
    /** A library with one kernel, whose table the tests damage. */
    private static final String C = """
            #include "tern_kernels.h"
            static const tern_lut_shape shapes[] = {{%s}};
            static const tern_lut_kernels portable = {%s, shapes, 0, 0, 0};
            const char *tern_lut_abi_hash(void) { return "%s"; }
            const tern_lut_kernels *tern_lut_kernels_of(int32_t path) { return path == 0 ? &portable : 0; }""";

    private static final String SHAPE = "TERN_LUT_TL2, 128, 512, 64, 240, 32";
    private static final String PLAN = "\"" + "5".repeat(64) + "\"";

    private @TempDir Path folder;

    @BeforeEach
    void libternIsThere() {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        assertThat(KernelChoice.status().failure()).isEmpty();
    }

    private static Path libtern() {
        return LutLibrary.ofLibtern().orElseThrow().file();
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private Path compiled(String shape, String table, String hash) throws Exception {
        return CompiledC.library(folder, C.formatted(shape, table, hash), "-I", include());
    }

    private static String include() {
        return Path.of(System.getProperty("tern.root"), "c-kernels/include").toString();
    }

    private static LutLibrary open(Path file) throws Exception {
        return LutLibrary.open(file, sha256(Files.readAllBytes(file)));
    }

    private static void refused(Path file, String sha256, String... message) {
        assertThatThrownBy(() -> LutLibrary.open(file, sha256))
                .isInstanceOf(KernelUnavailableException.class)
                .hasMessageStartingWith(file + ": ")
                .hasMessageContainingAll(message);
    }

    private static void refusedAsItIs(Path file, String... message) throws Exception {
        refused(file, sha256(Files.readAllBytes(file)), message);
    }

    @Test
    void libternItselfCanLieBesideLibtern() throws Exception {
        Path copy = Files.copy(libtern(), folder.resolve("beside.so"));
        LutLibrary opened = open(copy);
        assertThat(opened.file()).isEqualTo(copy);
        for (LutPath path : LutPath.values()) {
            assertThat(opened.kernels(path).map(LutKernels::shapes))
                    .isEqualTo(LutLibrary.ofLibtern().orElseThrow().kernels(path).map(LutKernels::shapes));
        }
        assertThat(opened.kernels(LutPath.PORTABLE)).hasToString("Optional[beside.so (portable)]");
    }

    @Test
    void aFileThatWasChangedIsNotLoaded() throws Exception {
        byte[] whole = Files.readAllBytes(libtern());
        String built = sha256(whole);
        String[] said = {"is not the library that was built: its SHA-256 is not " + built};
        byte[] changed = whole.clone();
        changed[whole.length / 2] ^= 1;
        refused(Files.write(folder.resolve("changed.so"), changed), built, said);
        for (int size : new int[] {0, 64, 1000, whole.length - 1}) {
            refused(Files.write(folder.resolve("cut.so"), Arrays.copyOf(whole, size)), built, said);
        }
        refused(Files.write(folder.resolve("longer.so"), Arrays.copyOf(whole, whole.length + 1)), built, said);
        refused(folder.resolve("missing.so"), built, said);
        refused(folder, built, said);
        Path copy = Files.write(folder.resolve("copy.so"), whole);
        refused(Files.createSymbolicLink(folder.resolve("link.so"), copy), built, said);
    }

    /** Handed to the system's loader, a file cut short would end the process. */
    @Test
    void aFileThatWasNoLibraryFromTheBeginningIsNotLoaded() throws Exception {
        Assumptions.assumeTrue(System.getProperty("os.name").equals("Linux"), "writes ELF");
        byte[] whole = Files.readAllBytes(libtern());
        for (int size : new int[] {64, 1000, whole.length - 1}) {
            refusedAsItIs(Files.write(folder.resolve("cut.so"), Arrays.copyOf(whole, size)), "is cut short", "build it again");
        }
        refusedAsItIs(Files.writeString(folder.resolve("text.so"), "This is a text, not a library.\n"), "is no shared library");
        refusedAsItIs(Files.createFile(folder.resolve("empty.so")), "is no shared library");
    }

    @Test
    void anotherLibraryIsRefused() throws Exception {
        refusedAsItIs(CompiledC.library(folder, "int something_else(void) { return 0; }"),
                "no library of Tern's kernels: it has no function tern_lut_abi_hash");
    }

    @Test
    void aLibraryOfAnotherHeaderIsRefused() throws Exception {
        refusedAsItIs(compiled(SHAPE, "0, " + PLAN + ", 1", "0123abcd"),
                "built with another tern_kernels.h: its SHA-256 is 0123abcd, expected " + NativeLibrary.headerHash());
    }

    @Test
    void whatTheOthersDamageIsOpenedWhole() throws Exception {
        LutLibrary library = open(compiled(SHAPE, "0, " + PLAN + ", 1", NativeLibrary.headerHash()));
        LutKernels kernels = library.kernels(LutPath.PORTABLE).orElseThrow();
        assertThat(kernels.plan()).isEqualTo("5".repeat(64));
        assertThat(kernels.shapes()).containsExactly(new LutShape(LutShape.Format.TL2, 128, 512, 64, 240, 32));
        assertThat(library.kernels(LutPath.AVX2)).isEmpty();
        assertThat(library.kernels(Tier.SCALAR)).contains(kernels);
        assertThat(library.kernels(Tier.AVX2)).contains(kernels);
        assertThat(library.kernels(Tier.JAVA)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "TERN_LUT_TL2, 128, 512, 64, 240, 32; 1, PLAN, 1", // of another path
        "TERN_LUT_TL2, 128, 512, 64, 240, 32; 0, PLAN, 0",
        "TERN_LUT_TL2, 128, 512, 64, 240, 32; 0, PLAN, -1",
        "TERN_LUT_TL2, 128, 512, 64, 240, 32; 0, PLAN, 1 << 17",
        "TERN_LUT_TL2, 128, 512, 64, 240, 32; 0, PLAN PLAN, 1", // a hash without an end
        "TERN_LUT_TL2, 100, 512, 64, 240, 32; 0, PLAN, 1",
        "TERN_LUT_TL2, 128, 513, 64, 240, 32; 0, PLAN, 1",
        "TERN_LUT_TL2, 128, 512, 0, 240, 32; 0, PLAN, 1",
        "TERN_LUT_TL1, -128, 512, 64, 256, 32; 0, PLAN, 1"
    })
    void aDamagedTableIsRefused(String shape, String table) throws Exception {
        refusedAsItIs(compiled(shape, table.replace("PLAN", PLAN), NativeLibrary.headerHash()),
                "its table of portable kernels is damaged", "build it again");
    }

    @Test
    void aLibraryWithoutKernelsIsRefused() throws Exception {
        Path library = CompiledC.library(folder, """
                const char *tern_lut_abi_hash(void) { return "%s"; }
                const void *tern_lut_kernels_of(int path) { return (void *)0; }""".formatted(NativeLibrary.headerHash()));
        refusedAsItIs(library, "has no look-up-table kernels; build it again");
    }

    @Test
    void whatTheSystemHasAgainstALibraryIsSaid() throws Exception {
        Assumptions.assumeTrue(System.getProperty("os.name").equals("Linux"), "there, undefined symbols link");
        Path needy = CompiledC.library(folder, """
                const char *missing_function(void);
                const char *tern_lut_abi_hash(void) { return missing_function(); }""", "-Wl,-z,now");
        refusedAsItIs(needy, "the system cannot load it: ", "missing_function");
    }
}
