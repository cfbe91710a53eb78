package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.convert.Converter;
import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutLibrary;
import dev.tern.kernels.Tier;
import dev.tern.lut.KernelFamily;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/**
 * TL1 and TL2 files give the logits of the I2_S file from the same checkpoint, bit for bit: looked up as they lie or repacked,
 * on every tier, with any number of threads, in batches on both sides of the size from which rows are unpacked.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LutSameBitsTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));
    private static final Path PACKED = DATA.resolve("tiny-bitnet/packed-u8");

    /** More than the largest batch. */
    private static final int POSITIONS = 140;

    private final int[] ids = repeated(JsonFile.read(DATA.resolve("golden/golden.json"))
            .path("prompts")
            .path(3)
            .path("ids")
            .valueStream()
            .mapToInt(JsonNode::asInt)
            .toArray());

    private final Map<Outtype, Path> files = new EnumMap<>(Outtype.class);
    private int[][] expected = {};

    private @TempDir Path folder;

    private static int[] repeated(int[] prompt) {
        int[] ids = new int[POSITIONS];
        Arrays.setAll(ids, i -> prompt[i % prompt.length]);
        return ids;
    }

    @BeforeAll
    void computeOnce(@TempDir Path folder) {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        assertThat(KernelChoice.status().failure()).isEmpty();
        for (Outtype outtype : List.of(Outtype.I2_S, Outtype.TL1, Outtype.TL2)) {
            Path file = folder.resolve(outtype.label() + ".gguf");
            Converter.from(PACKED).outtype(outtype).embeddingType(GgmlType.BF16).to(file);
            files.put(outtype, file);
        }
        try (Model model = Model.load(files.get(Outtype.I2_S), options(KernelFamily.AUTO).build())) {
            expected = bits(model, POSITIONS);
        }
    }

    private static ModelOptions.Builder options(KernelFamily family) {
        return ModelOptions.builder().threads(1).family(family);
    }

    private static Kernels kernels(Tier tier) {
        try {
            return KernelChoice.of(tier);
        } catch (KernelUnavailableException e) {
            return Assumptions.abort(e.getMessage());
        }
    }

    /** All logits of the first tokens. */
    private int[][] bits(Model model, int tokens) {
        int[][] rows = new int[tokens][];
        try (Session session = model.session()) {
            session.feed(
                    Arrays.copyOf(ids, tokens),
                    (position, logits) -> rows[position] = logits.toArray(ValueLayout.JAVA_INT));
        }
        return rows;
    }

    private static int[] bits(Session session) {
        return session.logits().toArray(ValueLayout.JAVA_INT);
    }

    /**
     * All logits, for which a session cuts its batches short; then those that follow batches of full length: of the last
     * token of a prompt, and of some more that attend to what the batches left in the cache.
     */
    private void assertSameBits(Model model, int tokens) {
        int[][] found = bits(model, tokens);
        for (int position = 0; position < tokens; position++) {
            assertSameBits(model, position, found[position]);
        }
        int prompt = tokens - 5;
        try (Session session = model.session()) {
            session.feed(Arrays.copyOf(ids, prompt));
            assertSameBits(model, prompt - 1, bits(session));
            session.feed(
                    Arrays.copyOfRange(ids, prompt, tokens),
                    (position, logits) -> assertSameBits(model, position, logits.toArray(ValueLayout.JAVA_INT)));
        }
    }

    private void assertSameBits(Model model, int position, int[] found) {
        assertThat(Arrays.mismatch(found, expected[position]))
                .as("position %d, computed by %s, %s", position, model.info().tier(), model.info().lut())
                .isEqualTo(-1);
    }

    /** The kernels that a tier looks up with, as a model names them. */
    private static String libtern(Tier tier) {
        return LutLibrary.ofLibtern().orElseThrow().kernels(tier).orElseThrow().toString();
    }

    private static Stream<Arguments> computations() {
        return Stream.of(Outtype.TL1, Outtype.TL2).flatMap(outtype -> Stream.of(KernelFamily.values())
                .flatMap(family -> Stream.of(Tier.values()).map(tier -> Arguments.of(outtype, family, tier))));
    }

    @ParameterizedTest
    @MethodSource("computations")
    void computedBy(Outtype outtype, KernelFamily family, Tier tier) {
        ModelOptions options = options(family).kernels(kernels(tier)).batchSize(48).build();
        if (tier == Tier.JAVA && family == KernelFamily.LUT) {
            assertThatThrownBy(() -> Model.load(files.get(outtype), options))
                    .isInstanceOf(KernelUnavailableException.class)
                    .hasMessage("look-up-table kernels are demanded but cannot be had:"
                            + " the Java reference has no look-up-table kernels");
            return;
        }
        try (Model model = Model.load(files.get(outtype), options)) {
            assertThat(model.info().weightType()).isEqualTo(outtype.name());
            assertThat(model.info().tier()).isEqualTo(tier);
            switch (family) {
                case LUT -> assertThat(model.info().lut()).contains(libtern(tier));
                case MAD -> assertThat(model.info().lut()).isEmpty();
                case AUTO -> assertThat(model.info().notes())
                        .anyMatch(note -> note.startsWith(outtype.label() + ": "));
            }
            assertSameBits(model, tier == Tier.JAVA ? 8 : 70); // a batch that is unpacked, and one that is looked up
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1", "1, 7", "1, 47", "1, 48", "1, 64", "1, 128", "2, 1", "2, 7", "2, 47", "2, 48", "2, 64", "2, 128",
        "3, 1", "3, 7", "3, 47", "3, 48", "3, 64", "3, 128"
    })
    void tl2WithThreadsAndBatch(int threads, int batch) {
        withThreadsAndBatch(Outtype.TL2, threads, batch, batch == 1 ? 70 : POSITIONS);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 47", "1, 48", "2, 7", "2, 128", "3, 1", "3, 48"})
    void tl1WithThreadsAndBatch(int threads, int batch) {
        withThreadsAndBatch(Outtype.TL1, threads, batch, batch < 48 ? 50 : POSITIONS);
    }

    private void withThreadsAndBatch(Outtype outtype, int threads, int batch, int tokens) {
        ModelOptions options = options(KernelFamily.LUT).threads(threads).batchSize(batch).build();
        try (Model model = Model.load(files.get(outtype), options)) {
            assertThat(model.info().lut()).isPresent();
            assertThat(model.info().threads()).isEqualTo(threads);
            assertSameBits(model, tokens);
        }
    }

    @Test
    void promptSplitAnywhere() {
        int[] prompt = Arrays.copyOf(ids, 62);
        try (Model model = Model.load(files.get(Outtype.TL2), options(KernelFamily.LUT).build())) {
            for (int split = 1; split < prompt.length; split++) {
                try (Session session = model.session()) {
                    session.feed(Arrays.copyOf(prompt, split));
                    assertThat(bits(session)).as("the first %d", split).isEqualTo(expected[split - 1]);
                    session.feed(Arrays.copyOfRange(prompt, split, prompt.length));
                    assertThat(bits(session)).as("split at %d", split).isEqualTo(expected[prompt.length - 1]);
                }
            }
        }
    }

    /** Tiles that libtern has no kernels for, so that a library is built; some columns in threes and some in twos. */
    private static Stream<Arguments> tiles() {
        return Stream.of(
                Arguments.of(LutFormat.TL2, new Tile(64, 96, 32)),
                Arguments.of(LutFormat.TL2, new Tile(32, 48, 32)),
                Arguments.of(LutFormat.TL2, new Tile(128, 120, 32)),
                Arguments.of(LutFormat.TL1, new Tile(64, 128, 64)),
                Arguments.of(LutFormat.TL1, new Tile(32, 32, 32)));
    }

    private static LutTiles tiles(LutFormat format, Tile tile) {
        List<PlannedKernel> kernels = new ArrayList<>();
        for (MatrixShape shape : new MatrixShape[] {
            new MatrixShape(512, 512), new MatrixShape(128, 512), new MatrixShape(1536, 512), new MatrixShape(512, 1536)
        }) {
            kernels.add(new PlannedKernel(format, shape, tile));
        }
        return LutTiles.of(new KernelPlan(kernels));
    }

    @ParameterizedTest
    @MethodSource("tiles")
    void withKernelsThatAreBuiltForTheFile(LutFormat format, Tile tile) {
        Outtype outtype = Outtype.valueOf(format.name());
        Path file = folder.resolve("built.gguf");
        try (Checkpoint checkpoint = Checkpoint.open(PACKED)) {
            TestGguf.of(checkpoint, outtype, tiles(format, tile)).write(file);
        }
        for (int batch : new int[] {7, 64}) {
            ModelOptions options = options(KernelFamily.LUT).threads(2).batchSize(batch).build();
            try (Model model = Model.load(file, options)) {
                assertThat(model.info().lut()).get().asString().startsWith("libtern-lut-");
                assertSameBits(model, 62);
            }
        }
    }

    /** Saved by one layout, restored by another: the weights are the same, and so are the states. */
    @Test
    void sessionsMoveBetweenTheLayouts() {
        List<Model> models = new ArrayList<>();
        try {
            models.add(Model.load(files.get(Outtype.I2_S), options(KernelFamily.AUTO).build()));
            models.add(Model.load(files.get(Outtype.TL2), options(KernelFamily.LUT).build()));
            models.add(Model.load(files.get(Outtype.TL2), options(KernelFamily.MAD).build()));
            models.add(Model.load(files.get(Outtype.TL1), options(KernelFamily.LUT).build()));
            for (Model by : models) {
                Path saved = folder.resolve("saved-" + models.indexOf(by));
                try (Session session = by.session()) {
                    session.feed(Arrays.copyOf(ids, 50));
                    session.save(saved);
                }
                for (Model model : models) {
                    try (Session session = model.restore(saved)) {
                        assertThat(session.ids()).isEqualTo(Arrays.copyOf(ids, 50));
                        assertThat(bits(session)).isEqualTo(expected[49]);
                        session.feed(ids[50]);
                        assertThat(bits(session)).isEqualTo(expected[50]);
                    }
                }
            }
        } finally {
            models.forEach(Model::close);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"TL1", "TL2"})
    void aFableIsToldWordForWord(Outtype outtype) {
        Path file = folder.resolve("fables.gguf");
        Converter.from(DATA.resolve("tiny-bitnet/online-bf16")).outtype(outtype).to(file);
        GenerationOptions greedy = GenerationOptions.builder().temperature(0).maxTokens(-1).build();
        try (Model model = Model.load(file, options(KernelFamily.LUT).build())) {
            JsonNode fable = JsonFile.read(DATA.resolve("golden/fables.json")).path("fables").path(0);
            Generation generation =
                    model.generate(fable.path("ids").valueStream().mapToInt(JsonNode::asInt).toArray(), greedy);
            assertThat(generation.text()).isEqualTo(fable.path("greedy_text").asString());
            assertThat(generation.stopReason()).isEqualTo(StopReason.END_TOKEN);
        }
    }

    /** A file of which one matrix is stored in another type cannot be looked up in; its results are the same. */
    @Test
    void aFileOfSeveralTypesIsRepackedAndSaysSo() {
        Path file = folder.resolve("mixed.gguf");
        try (Checkpoint checkpoint = Checkpoint.open(PACKED)) {
            TestGguf mixed = TestGguf.of(checkpoint, Outtype.TL2);
            mixed.tensors.put(
                    "blk.1.ffn_up.weight", TestGguf.of(checkpoint, Outtype.I2_S).tensors.get("blk.1.ffn_up.weight"));
            mixed.write(file);
        }
        try (Model model = Model.load(file, options(KernelFamily.AUTO).build())) {
            assertThat(model.info().lut()).isEmpty();
            assertThat(model.info().weightType()).isEqualTo("I2_S, TL2");
            assertThat(model.info().notes())
                    .contains("the matrices are not all TL1, or all TL2; they were repacked for multiply-add kernels, with"
                            + " the same results");
            assertSameBits(model, 20);
        }
        assertThatThrownBy(() -> Model.load(file, options(KernelFamily.LUT).build()))
                .isInstanceOf(KernelUnavailableException.class)
                .hasMessage("look-up-table kernels are demanded but cannot be had: the matrices are not all TL1, or all TL2");
    }

    /** The factor of a .scale tensor, which is multiplied into s. */
    @Test
    void theScaleTensorCountsInEitherLayout() {
        Path file = folder.resolve("scaled.gguf");
        Path plain = folder.resolve("scaled-i2_s.gguf");
        try (Checkpoint checkpoint = Checkpoint.open(PACKED)) {
            for (Path path : List.of(file, plain)) {
                TestGguf gguf = TestGguf.of(checkpoint, path == file ? Outtype.TL2 : Outtype.I2_S);
                gguf.floats("blk.2.ffn_down.scale", new float[] {1.7f}, 1);
                gguf.write(path);
            }
        }
        try (Model lut = Model.load(file, options(KernelFamily.LUT).build());
                Model mad = Model.load(plain, options(KernelFamily.MAD).build())) {
            int[][] bits = bits(mad, 5);
            assertThat(bits(lut, 5)).isDeepEqualTo(bits);
            assertThat(bits).isNotEqualTo(Arrays.copyOf(expected, 5));
        }
    }

    @Test
    void whatIsRefusedIsRefusedInEitherLayout() {
        Path file = folder.resolve("damaged.gguf");
        try (Checkpoint checkpoint = Checkpoint.open(PACKED)) {
            TestGguf gguf = TestGguf.of(checkpoint, Outtype.TL2);
            byte[] bytes = gguf.tensors.get("blk.3.attn_k.weight").bytes();
            bytes[1234] = (byte) 0xE0; // 14 stands for no weights
            gguf.write(file);
        }
        List<String> messages = new ArrayList<>();
        for (KernelFamily family : KernelFamily.values()) {
            assertThatThrownBy(() -> Model.load(file, options(family).build()))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("blk.3.attn_k.weight")
                    .hasMessageContaining("the index 14")
                    .satisfies(e -> messages.add(e.getMessage()));
        }
        assertThat(messages.stream().distinct()).hasSize(1);
    }
}
