package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.convert.Converter;
import dev.tern.gguf.GgmlType;
import dev.tern.io.JsonFile;
import dev.tern.model.HeadScreen;
import dev.tern.model.ScreenUse;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/**
 * The trained model with and without a screen of its head: the same tokens, the same logits for whoever asks for all.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HeadScreenTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));

    private final List<int[]> prompts = new ArrayList<>();
    private Path folder = Path.of("");

    @BeforeAll
    void convert(@TempDir Path made) {
        folder = made;
        for (GgmlType type : new GgmlType[] {GgmlType.Q8_0, GgmlType.Q6_K, GgmlType.F16}) {
            Converter.from(DATA.resolve("tiny-bitnet/packed-u8"))
                    .outtype(Outtype.I2_S)
                    .embeddingType(type)
                    .to(folder.resolve(type + ".gguf"));
        }
        JsonNode fables = JsonFile.read(DATA.resolve("golden/fables.json")).path("fables");
        JsonNode golden = JsonFile.read(DATA.resolve("golden/golden.json")).path("prompts");
        for (JsonNode prompt : List.of(fables.path(0), golden.path(0), golden.path(3))) {
            prompts.add(prompt.path("ids").valueStream().mapToInt(JsonNode::asInt).toArray());
        }
    }

    private Model load(String type, int threads, HeadScreen screen) {
        ModelOptions options = ModelOptions.builder().threads(threads).screen(screen).build();
        return Model.load(folder.resolve(type + ".gguf"), options);
    }

    private static GenerationOptions.Builder options() {
        return GenerationOptions.builder().maxTokens(20).ignoreEos(true);
    }

    private int[][] generate(Model model, GenerationOptions options) {
        List<int[]> answers = new ArrayList<>();
        for (int[] prompt : prompts) {
            Generation generation = model.generate(prompt, options);
            generation.text();
            answers.add(generation.ids());
        }
        return answers.toArray(int[][]::new);
    }

    @ParameterizedTest
    @CsvSource({"F16, 1", "Q8_0, 2", "Q6_K, 1"})
    void theTokensAreTheSame(String type, int threads) {
        List<GenerationOptions> ways = List.of(
                options().temperature(0).build(),
                options().temperature(0).topK(0).topP(0.5).build(),
                options().seed(1).build(),
                options().seed(2).temperature(1.5).topK(5).topP(1).minP(0).build(),
                options().seed(3).topK(1).build(),
                options().temperature(0).endTokens(EndTokens.BAN).build(),
                options().seed(7).endTokens(EndTokens.BAN).build(),
                options().seed(4).topK(100).topP(0.9).minP(0.01).build(),
                options().seed(5).topK(0).build(),
                options().seed(6).repeatPenalty(1.3).build(),
                options().temperature(0).repeatPenalty(1.3).build());
        try (Model without = load(type, threads, HeadScreen.OFF); Model with = load(type, threads, HeadScreen.ON)) {
            for (GenerationOptions way : ways) {
                assertThat(generate(with, way)).as("%s", way).isDeepEqualTo(generate(without, way));
            }
            ScreenUse use = with.screenUse();
            assertThat(use.spared()).isPositive();
            assertThat(use.rows()).isLessThan(use.spared() * 4096 / 10);
            assertThat(use.bytes()).isPositive();
            assertThat(without.screenUse()).isEqualTo(new ScreenUse(0, 0, 0, 0));
        }
    }

    @Test
    void whereAllLogitsCountItIsNotMade() {
        try (Model model = load("F16", 2, HeadScreen.ON); Session session = model.session()) {
            generate(model, options().seed(5).topK(0).build());
            generate(model, options().temperature(0).repeatPenalty(1.1).build());
            session.feed(prompts.get(0));
            assertThat(model.screenUse()).isEqualTo(new ScreenUse(0, 0, 0, 0));
        }
    }

    @Test
    void aSmallHeadHasNoneUnlessAskedFor() {
        try (Model model = load("F16", 2, HeadScreen.AUTO)) {
            generate(model, options().temperature(0).build());
            assertThat(model.screenUse()).isEqualTo(new ScreenUse(0, 0, 0, 0));
        }
        try (Model model = load("F16", 2, HeadScreen.ON)) {
            generate(model, options().temperature(0).build());
            assertThat(model.screenUse().tries()).isPositive();
            assertThat(model.screenUse().bytes()).isBetween(1L << 20, 2L << 20); // 6 of 16 bits of every weight
        }
    }

    /** Whoever asks for all logits afterwards gets them. */
    @Test
    void allLogitsCanStillBeHad(@TempDir Path made) {
        int[] ids = prompts.get(0);
        try (Model model = load("F16", 2, HeadScreen.ON);
                Session whole = model.session();
                Session session = model.session()) {
            whole.feed(ids);
            int[] expected = whole.logits().toArray(ValueLayout.JAVA_INT);
            session.feedLargest(1, ids);
            float[] largest = session.largestLogits().toArray(ValueLayout.JAVA_FLOAT);
            assertThat(model.screenUse().spared()).isEqualTo(1);
            assertThat(largest).contains(Float.NEGATIVE_INFINITY);
            try (Session fork = session.fork()) {
                assertThat(fork.largestLogits().toArray(ValueLayout.JAVA_FLOAT)).isEqualTo(largest);
                assertThat(fork.logits().toArray(ValueLayout.JAVA_INT)).isEqualTo(expected);
            }
            session.save(made.resolve("saved"));
            try (Session restored = model.restore(made.resolve("saved"))) {
                assertThat(restored.logits().toArray(ValueLayout.JAVA_INT)).isEqualTo(expected);
            }
            assertThat(session.logits().toArray(ValueLayout.JAVA_INT)).isEqualTo(expected);
            assertThat(session.position()).isEqualTo(ids.length);
            int best = 0;
            for (int id = 0; id < largest.length; id++) {
                best = largest[id] > largest[best] ? id : best;
            }
            assertThat(Float.floatToRawIntBits(largest[best])).isEqualTo(expected[best]);
            session.feed(best);
            whole.feed(best);
            assertThat(session.logits().mismatch(whole.logits())).isEqualTo(-1);
            assertThat(Arrays.stream(expected).asLongStream().distinct().count()).isGreaterThan(3000);
        }
    }
}
