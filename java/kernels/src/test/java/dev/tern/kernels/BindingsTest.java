package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.kernels.ffi.tern_activations;
import dev.tern.kernels.ffi.tern_float_matrix;
import dev.tern.kernels.ffi.tern_kernels;
import dev.tern.kernels.ffi.tern_kernels_h;
import dev.tern.kernels.ffi.tern_kv_layer;
import dev.tern.kernels.ffi.tern_lut_kernels;
import dev.tern.kernels.ffi.tern_lut_matrix;
import dev.tern.kernels.ffi.tern_lut_shape;
import dev.tern.kernels.ffi.tern_lut_tables;
import dev.tern.kernels.ffi.tern_rope;
import dev.tern.kernels.ffi.tern_screen;
import dev.tern.kernels.ffi.tern_screen_inputs;
import dev.tern.kernels.ffi.tern_screen_scores;
import dev.tern.kernels.ffi.tern_ternary_matrix;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.SequencedMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bindings are those of the header as it is now, without jextract at hand. */
class BindingsTest {
    private static final String CURE = "the bindings are of another header: run mvn -pl java/kernels -Pjextract "
            + "generate-sources (see java/kernels/pom.xml)";

    private static List<GroupLayout> structs() {
        return List.of(
                tern_ternary_matrix.layout(),
                tern_activations.layout(),
                tern_float_matrix.layout(),
                tern_rope.layout(),
                tern_kv_layer.layout(),
                tern_screen.layout(),
                tern_screen_inputs.layout(),
                tern_screen_scores.layout(),
                tern_kernels.layout(),
                tern_lut_shape.layout(),
                tern_lut_matrix.layout(),
                tern_lut_tables.layout(),
                tern_lut_kernels.layout());
    }

    @Test
    void areOfThisHeader() throws Exception {
        Properties provenance = new Properties();
        try (InputStream in = BindingsTest.class.getResourceAsStream("ffi/jextract.properties")) {
            provenance.load(in);
        }
        byte[] header = Files.readAllBytes(Header.read().path());
        String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(header));
        assertThat(provenance.getProperty("header.sha256")).as(CURE).isEqualTo(hash);
        assertThat(provenance.getProperty("jextract.commit")).matches("[0-9a-f]{40}");
    }

    @Test
    void haveEveryKernelOfTheTable() throws IOException {
        Header header = Header.read();
        haveEveryKernel(tern_kernels.class, tern_kernels.layout(), List.of("tier"), header.kernels());
        haveEveryKernel(
                tern_lut_kernels.class,
                tern_lut_kernels.layout(),
                List.of("path", "plan", "shape_count", "shapes"),
                header.lutKernels());
    }

    private static void haveEveryKernel(
            Class<?> table, GroupLayout layout, List<String> before, SequencedMap<String, Header.Signature> kernels) {
        List<String> members = layout.memberLayouts().stream().map(m -> m.name().orElse("")).toList();
        List<String> expected = new ArrayList<>(before);
        expected.addAll(kernels.sequencedKeySet());
        assertThat(members).as(CURE).isEqualTo(expected);
        kernels.forEach((name, signature) -> {
            Class<?> binding = Arrays.stream(table.getDeclaredClasses())
                    .filter(nested -> nested.getSimpleName().equals(name))
                    .findFirst()
                    .orElseThrow();
            assertThat(descriptor(binding)).as(name).isEqualTo(descriptor(signature));
        });
    }

    @Test
    void theInterfaceNamesEveryKernelOfTheTable() throws IOException {
        List<String> methods = Arrays.stream(Kernels.class.getMethods())
                .map(Method::getName)
                .filter(name -> !name.equals("tier"))
                .toList();
        List<String> expected = Header.read().kernels().sequencedKeySet().stream().map(BindingsTest::camel).toList();
        assertThat(methods).containsExactlyInAnyOrderElementsOf(expected);
        assertThat(KernelCalls.all().sequencedKeySet())
                .as("every kernel is compared with the reference")
                .containsExactlyElementsOf(Header.read().kernels().sequencedKeySet());
    }

    @Test
    void lettersAndNumbersAgree() throws IOException {
        Header header = Header.read();
        assertThat(tern_kernels_h.TERN_ABI_VERSION()).isEqualTo(header.constants().get("TERN_ABI_VERSION"));
        assertThat(TernaryWeights.GROUP)
                .isEqualTo(tern_kernels_h.TERN_GROUP())
                .isEqualTo(header.constants().get("TERN_GROUP"));
        assertThat(KvLayer.ATTENTION_ROWS).isEqualTo(header.constants().get("TERN_ATTENTION_ROWS"));
        assertThat(Kernels.READ_UNIT).isEqualTo(header.constants().get("TERN_READ_UNIT"));
        assertThat(Kernels.PEAK_UNIT).isEqualTo(header.constants().get("TERN_PEAK_UNIT"));
        for (FloatType type : FloatType.values()) {
            assertThat(type.code()).isEqualTo(header.constants().get("TERN_" + type));
        }
        for (TernaryLayout layout : TernaryLayout.values()) {
            int code =
                    switch (layout) {
                        case ROWS -> tern_kernels_h.TERN_ROWS();
                        case PANELS_2BIT -> tern_kernels_h.TERN_PANELS_2BIT();
                        case PANELS_5TRIT -> tern_kernels_h.TERN_PANELS_5TRIT();
                        case PANELS_MIXED -> tern_kernels_h.TERN_PANELS_MIXED();
                    };
            assertThat(layout.code()).isEqualTo(code).isEqualTo(header.constants().get("TERN_" + layout));
            if (layout != TernaryLayout.ROWS) {
                assertThat(layout.panelRows()).isEqualTo(header.constants().get("TERN_PANEL_ROWS"));
            }
        }
        for (LutShape.Format format : LutShape.Format.values()) {
            assertThat(format.code()).isEqualTo(header.constants().get("TERN_LUT_" + format));
        }
        for (LutPath path : LutPath.values()) {
            assertThat(path.code()).isEqualTo(header.constants().get("TERN_LUT_" + path));
        }
        for (RopePairing pairing : RopePairing.values()) {
            assertThat(pairing.code()).isEqualTo(header.constants().get("TERN_ROPE_" + pairing));
        }
        for (TernaryEncoding encoding : TernaryEncoding.values()) {
            assertThat(encoding.code()).isEqualTo(header.constants().get("TERN_ENCODED_" + encoding));
        }
        List<Tier> ascending = Arrays.stream(Tier.values()).filter(tier -> tier != Tier.JAVA).toList();
        List<String> named = header.constants().sequencedKeySet().stream()
                .filter(name -> name.startsWith("TERN_TIER_"))
                .toList();
        assertThat(ascending.stream().map(tier -> "TERN_TIER_" + tier)).containsExactlyElementsOf(named);
        for (Tier tier : ascending) {
            assertThat(tier.code()).isEqualTo(header.constants().get("TERN_TIER_" + tier));
        }
    }

    /** The C compiler's sizes and offsets of every struct. */
    @Test
    void layStructsOutAsTheCompilerDoes(@TempDir Path folder) throws Exception {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built without a C compiler");
        Header header = Header.read();
        assertThat(structs().stream().map(layout -> layout.name().orElseThrow()))
                .containsExactlyElementsOf(header.structs());
        StringBuilder c = new StringBuilder("#include <stddef.h>\n#include <stdio.h>\n#include \"tern_kernels.h\"\n"
                + "int main(void) {\n");
        List<String> expected = new ArrayList<>();
        for (GroupLayout struct : structs()) {
            String type = struct.name().orElseThrow();
            c.append("printf(\"%s %zu\\n\", \"" + type + "\", sizeof(" + type + "));\n");
            expected.add(type + " " + struct.byteSize());
            for (MemoryLayout member : struct.memberLayouts()) {
                member.name().ifPresent(name -> {
                    c.append("printf(\"%s %zu %zu\\n\", \"" + name + "\", offsetof(" + type + ", " + name
                            + "), sizeof(((" + type + " *)0)->" + name + "));\n");
                    long offset = struct.byteOffset(PathElement.groupElement(name));
                    expected.add(name + " " + offset + " " + member.byteSize());
                });
            }
        }
        Path source = Files.writeString(folder.resolve("layout.c"), c + "return 0;\n}\n");
        Path program = folder.resolve("layout");
        String compiler = Optional.ofNullable(System.getenv("CC")).filter(cc -> !cc.isBlank()).orElse("cc");
        run(compiler, "-I", header.path().getParent().toString(), "-o", program.toString(), source.toString());
        assertThat(run(program.toString()).lines().toList()).isEqualTo(expected);
    }

    @Test
    void descriptorsHoldWhatTheyDescribe() {
        Arena arena = Arena.ofAuto();
        MemorySegment memory = arena.allocate(4096, 64);
        MemorySegment w = TernaryWeights.of(arena, memory, 3, 130, 0.25f).descriptor();
        assertThat(tern_ternary_matrix.codes(w).address()).isEqualTo(memory.address());
        assertThat(tern_ternary_matrix.rows(w)).isEqualTo(3);
        assertThat(tern_ternary_matrix.cols(w)).isEqualTo(130);
        assertThat(tern_ternary_matrix.stride(w)).isEqualTo(64);
        assertThat(tern_ternary_matrix.scale(w)).isEqualTo(0.25f);

        Activations activations = Activations.allocate(arena, 2, 130);
        MemorySegment a = activations.descriptor();
        assertThat(tern_activations.values(a).address()).isEqualTo(activations.values().address());
        assertThat(tern_activations.scales(a).address()).isEqualTo(activations.scales().address());
        assertThat(tern_activations.sums(a).address()).isEqualTo(activations.sums().address());
        assertThat(tern_activations.stride(a)).isEqualTo(256);

        MemorySegment m = FloatWeights.of(arena, memory, 4, 10, FloatType.BF16).descriptor();
        assertThat(tern_float_matrix.values(m).address()).isEqualTo(memory.address());
        assertThat(tern_float_matrix.rows(m)).isEqualTo(4);
        assertThat(tern_float_matrix.cols(m)).isEqualTo(10);
        assertThat(tern_float_matrix.stride(m)).isEqualTo(10);
        assertThat(tern_float_matrix.type(m)).isEqualTo(tern_kernels_h.TERN_BF16());

        LutTables tables = LutTables.allocate(arena, 2, 512);
        MemorySegment t = tables.descriptor();
        assertThat(tern_lut_tables.values(t).address()).isEqualTo(tables.values().address());
        assertThat(tern_lut_tables.stride(t)).isEqualTo(tables.stride()).isGreaterThanOrEqualTo(512 / 24 * 8 * 32 + 112 * 32);

        MemorySegment sines = memory.asSlice(64);
        MemorySegment r = RopeTable.of(arena, memory, sines, 2, 8, RopePairing.NEIGHBOURS).descriptor();
        assertThat(tern_rope.cosines(r).address()).isEqualTo(memory.address());
        assertThat(tern_rope.sines(r).address()).isEqualTo(sines.address());
        assertThat(tern_rope.dims(r)).isEqualTo(8);
        assertThat(tern_rope.pairing(r)).isEqualTo(tern_kernels_h.TERN_ROPE_NEIGHBOURS());

        KvLayer layer = KvLayer.allocate(arena, 2, 3, 4, FloatType.F16);
        MemorySegment kv = layer.descriptor();
        assertThat(tern_kv_layer.keys(kv).address()).isEqualTo(layer.keys().address());
        assertThat(tern_kv_layer.values(kv).address()).isEqualTo(layer.values().address());
        assertThat(tern_kv_layer.kv_heads(kv)).isEqualTo(2);
        assertThat(tern_kv_layer.capacity(kv)).isEqualTo(3);
        assertThat(tern_kv_layer.head_dim(kv)).isEqualTo(4);
        assertThat(tern_kv_layer.type(kv)).isEqualTo(tern_kernels_h.TERN_F16());
    }

    @Test
    void descriptorsOfScreensHoldWhatTheyDescribe() {
        Screen screen = Screen.allocate(Arena.ofAuto(), 40, 20, 6);
        MemorySegment s = screen.descriptor();
        assertThat(tern_screen.codes(s).address()).isEqualTo(screen.codes().address());
        assertThat(tern_screen.steps(s).address()).isEqualTo(screen.steps().address());
        assertThat(tern_screen.residuals(s).address()).isEqualTo(screen.residuals().address());
        assertThat(tern_screen.norms(s).address()).isEqualTo(screen.norms().address());
        assertThat(tern_screen.rows(s)).isEqualTo(40);
        assertThat(tern_screen.cols(s)).isEqualTo(20);
        assertThat(tern_screen.stride(s)).isEqualTo(768);
        assertThat(tern_screen.bits(s)).isEqualTo(6);

        ScreenInputs inputs = ScreenInputs.allocate(Arena.ofAuto(), 2, 20, 12);
        MemorySegment x = inputs.descriptor();
        assertThat(tern_screen_inputs.high(x).address()).isEqualTo(inputs.high().address());
        assertThat(tern_screen_inputs.low(x).address()).isEqualTo(inputs.low().address());
        assertThat(tern_screen_inputs.sums(x).address()).isEqualTo(inputs.sums().address());
        assertThat(tern_screen_inputs.factors(x).address()).isEqualTo(inputs.factors().address());
        assertThat(tern_screen_inputs.stride(x)).isEqualTo(32);
        ScreenInputs ofSevenBits = ScreenInputs.allocate(Arena.ofAuto(), 2, 20, 7);
        assertThat(tern_screen_inputs.low(ofSevenBits.descriptor())).isEqualTo(MemorySegment.NULL);

        ScreenScores scores = ScreenScores.allocate(Arena.ofAuto(), 2, 40);
        MemorySegment y = scores.descriptor();
        assertThat(tern_screen_scores.scores(y).address()).isEqualTo(scores.scores().address());
        assertThat(tern_screen_scores.uppers(y).address()).isEqualTo(scores.uppers().address());
        assertThat(tern_screen_scores.peaks(y).address()).isEqualTo(scores.peaks().address());
        assertThat(tern_screen_scores.ceilings(y).address()).isEqualTo(scores.ceilings().address());
        assertThat(tern_screen_scores.stride(y)).isEqualTo(64);
        assertThat(tern_screen_scores.panel_stride(y)).isEqualTo(2);
    }

    /** Generated on anybody's machine, the bindings are the same. */
    @Test
    void nameNoMachine() throws IOException {
        Path sources = Path.of(System.getProperty("tern.root"), "java/kernels/src/main/java/dev/tern/kernels/ffi");
        Pattern absolute = Pattern.compile("[\"' (]/\\w+/\\S*|[A-Z]:\\\\\\S*");
        try (Stream<Path> files = Files.list(sources)) {
            for (Path file : files.toList()) {
                assertThat(absolute.matcher(Files.readString(file)).results().map(MatchResult::group))
                        .as("absolute paths in %s", file)
                        .isEmpty();
            }
        }
    }

    private static FunctionDescriptor descriptor(Class<?> binding) {
        try {
            return (FunctionDescriptor) binding.getMethod("descriptor").invoke(null);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private static FunctionDescriptor descriptor(Header.Signature signature) {
        MemoryLayout[] parameters =
                signature.parameters().stream().map(BindingsTest::layout).toArray(MemoryLayout[]::new);
        return signature.result().equals("void")
                ? FunctionDescriptor.ofVoid(parameters)
                : FunctionDescriptor.of(layout(signature.result()), parameters);
    }

    private static MemoryLayout layout(String type) {
        return switch (type) {
            case "int64_t" -> tern_kernels_h.C_LONG;
            case "int32_t" -> tern_kernels_h.C_INT;
            case "float" -> tern_kernels_h.C_FLOAT;
            default -> {
                assertThat(type).endsWith("*");
                yield tern_kernels_h.C_POINTER;
            }
        };
    }

    private static String camel(String name) {
        return Pattern.compile("_(\\w)").matcher(name).replaceAll(m -> m.group(1).toUpperCase(Locale.ROOT));
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }
}
