package dev.tern.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What CMake says of a header before it compiles it: {@code check_header.cmake}. */
class CheckHeaderTest {
    private static final KernelPlan PLAN = new KernelPlan(List.of(
            new PlannedKernel(LutFormat.TL2, new MatrixShape(64, 128), new Tile(32, 96, 32)),
            new PlannedKernel(LutFormat.TL1, new MatrixShape(64, 128), new Tile(64, 64, 64))));

    private static final String GOOD = HeaderGenerator.generate(PLAN);
    private static final Path LUT = Path.of(System.getProperty("tern.root"), "c-kernels/src/lut");

    private @TempDir Path folder;

    /** @param text what was printed, on one line, as CMake breaks lines where it likes */
    private record Said(int status, String text) {}

    @BeforeAll
    static void thereIsCmake() {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
    }

    private static Said run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Said(process.waitFor(), text.replaceAll("\\s+", " ").strip());
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve(HeaderGenerator.FILE_NAME), text);
    }

    private Said check(String text) throws Exception {
        return run("cmake", "-DHEADER=" + write(text), "-P", LUT.resolve("check_header.cmake").toString());
    }

    private void refused(String text, String... message) throws Exception {
        Said said = check(text);
        assertThat(said.status).isNotZero();
        assertThat(said.text).contains(HeaderGenerator.FILE_NAME + ": ").contains(message).contains("`tern kernels`");
    }

    @Test
    void aHeaderAsItWasGeneratedGivesItsPlan() throws Exception {
        assertThat(check(GOOD)).isEqualTo(new Said(0, PLAN.hash()));
        String published = HeaderGenerator.generate(PublishedModel.defaultPlan());
        assertThat(check(published)).isEqualTo(new Said(0, PublishedModel.defaultPlan().hash()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{TERN_LUT_TL2, 64, 128, 32, 96, 32}", "lut_tl1_rows(call, 128, 64, 64, 64)", "#endif /* TERN_BITNET"})
    void anEditedHeaderIsRefused(String place) throws Exception {
        assertThat(GOOD).contains(place);
        refused(GOOD.replace(place, place.replace("64", "32").replace("#endif", "#endif ")),
                "edited or cut short since it was generated: the SHA-256 of its text is ",
                ", expected " + GOOD.lines().filter(line -> line.startsWith(" * text  ")).findFirst().orElseThrow().substring(9));
    }

    /** The plan names the library, so that a wrong one would make it pass for another. */
    @Test
    void codeInFrontOfTheTextIsRefused() throws Exception {
        refused(GOOD.replaceFirst("\\n \\*   format ", "\n */ int injected; /*\n *   format "), "edited", "first comment ends");
    }

    @Test
    void anEditedPlanIsRefused() throws Exception {
        String other = "5".repeat(64);
        refused(GOOD.replace(" * plan  " + PLAN.hash(), " * plan  " + other),
                "edited since it was generated: its first comment names the plan " + other
                        + ", its kernels are those of " + PLAN.hash());
        refused(GOOD.replace("#define LUT_PLAN \"" + PLAN.hash(), "#define LUT_PLAN \"" + other), "edited or cut short");
        refused(GOOD.replaceAll("( \\* text  ).{64}", "$1" + other), "expected " + other);
    }

    @Test
    void aHeaderCutShortIsRefused() throws Exception {
        int body = GOOD.indexOf("#ifndef");
        for (int length : new int[] {GOOD.length() - 1, GOOD.length() / 2, body + 1, body}) {
            refused(GOOD.substring(0, length), "edited or cut short since it was generated");
        }
        refused(GOOD.substring(0, body - 10), "edited or cut short since it was generated"); // within its first comment
        refused(GOOD + "\n", "edited or cut short since it was generated");
        for (int length : new int[] {0, 1, 100}) {
            refused(GOOD.substring(0, length), "no header that Tern generated: its first comment names no plan and text");
        }
    }

    @Test
    void aForeignHeaderIsRefused() throws Exception {
        refused("#if defined(GGML_BITNET_X86_TL2)\n#include \"ggml-bitnet.h\"\n#define BM2560_2560 256\n#endif\n",
                "no header that Tern generated");
        for (LutFormat format : LutFormat.values()) {
            refused(BitnetCppHeader.generate(BitnetCppHeaderTest.testedPlan(format)),
                    "made for bitnet.cpp, which it is to be built into");
        }
    }

    @Test
    void aBuildStopsWithTheReason() throws Exception {
        Path edited = write(GOOD.replace("lut_tl1_rows(call, 128, 64", "lut_tl1_rows(call, 128, 32"));
        String build = folder.resolve("build").toString();
        Said said = run("cmake", "-S", LUT.toString(), "-B", build, "-DTERN_LUT_HEADER=" + edited);
        assertThat(said.status).isNotZero();
        assertThat(said.text).contains("edited or cut short since it was generated");
        Path missing = folder.resolve("missing.h");
        said = run("cmake", "-S", LUT.toString(), "-B", build, "-DTERN_LUT_HEADER=" + missing);
        assertThat(said.status).isNotZero();
        assertThat(said.text).contains(missing + ": no such file. Name the bitnet-lut-kernels.h");
        said = run("cmake", "-S", LUT.toString(), "-B", folder.resolve("other").toString());
        assertThat(said.status).isNotZero();
        assertThat(said.text).contains("TERN_LUT_HEADER is not set. Name the bitnet-lut-kernels.h");
    }
}
