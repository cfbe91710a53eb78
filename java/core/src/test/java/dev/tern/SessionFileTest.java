package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import dev.tern.kernels.FloatType;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Saved sessions that are damaged or belong elsewhere. */
class SessionFileTest {
    private @TempDir Path folder;
    private Path saved;
    private Path gguf;
    private Model model;

    @BeforeEach
    void save() {
        saved = folder.resolve("saved");
        gguf = gguf(Outtype.I2_S, 1, folder.resolve("model.gguf"));
        model = load(gguf, FloatType.F16, 64);
        try (Session session = model.session()) {
            session.feed(1, 2, 3, 4, 5);
            session.save(saved);
        }
    }

    @AfterEach
    void close() {
        model.close();
    }

    private static Path gguf(Outtype outtype, long seed, Path file) {
        ModelHyperparameters graph = new ModelHyperparameters(
                "bitnet", "", 40, 64, 128, 256, 2, 4, 2, 32, 32, 10000, 1e-5f, FfnActivation.SILU, true, true);
        return TestGguf.random(graph, outtype, seed).write(file);
    }

    private static Model load(Path file, FloatType cache, int context) {
        return Model.load(
                file,
                ModelOptions.builder().threads(1).cacheType(cache).contextLength(context).build());
    }

    private void refused(Model by, String... message) {
        assertThatThrownBy(() -> by.restore(saved))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith(saved.toString())
                .satisfies(thrown -> assertThat(message).allMatch(thrown.getMessage()::contains));
    }

    @Test
    void everyDamageIsFound() throws IOException {
        byte[] good = Files.readAllBytes(saved);
        Random random = new Random(1);
        for (int round = 0; round < 400; round++) {
            byte[] bad = good.clone();
            int at = round < good.length / 64 ? round : random.nextInt(good.length);
            bad[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(saved, bad);
            refused(model);
        }
        for (int length : new int[] {0, 1, 15, 48, 75, 76, 100, good.length - 1}) {
            Files.write(saved, Arrays.copyOf(good, length));
            refused(model);
        }
        Files.write(saved, Arrays.copyOf(good, good.length + 1));
        refused(model, "longer than it should be");
        Files.write(saved, good);
        try (Session session = model.restore(saved)) {
            assertThat(session.ids()).containsExactly(1, 2, 3, 4, 5);
        }
    }

    @Test
    void anotherModelCacheTypeOrContextIsRefused() {
        try (Model other = load(gguf(Outtype.I2_S, 2, folder.resolve("other.gguf")), FloatType.F16, 64)) {
            refused(other, "another model");
        }
        try (Model other = load(gguf, FloatType.F32, 64)) {
            refused(other, "cache type");
        }
        try (Model other = load(gguf, FloatType.F16, 4)) {
            refused(other, "longer than the context", "at most 4", "found 5");
        }
    }

    @Test
    void sameWeightsInAnotherTypeAreTheSameModel() {
        Path floats = gguf(Outtype.F32, 1, folder.resolve("floats.gguf"));
        try (Model other = load(floats, FloatType.F16, 64);
                Session session = other.restore(saved)) {
            assertThat(session.position()).isEqualTo(5);
        }
    }

    @Test
    void existingFileIsNotOverwritten() {
        try (Session session = model.session()) {
            assertThatThrownBy(() -> session.save(saved)).isInstanceOf(InputException.class);
            Path empty = folder.resolve("empty");
            session.save(empty);
            try (Session restored = model.restore(empty)) {
                assertThat(restored.position()).isZero();
                assertThatThrownBy(restored::logits).isInstanceOf(IllegalStateException.class);
            }
        }
    }
}
