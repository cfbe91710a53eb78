package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import dev.tern.lut.KernelFamily;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whole model files with flipped bits, all the way into the native kernels: what loads must compute, and what does not must
 * say so as an error of the input. The JVM that runs this is the proof that nothing unchecked crosses into C.
 */
class DamagedModelTest {
    private static final ModelOptions ONE =
            ModelOptions.builder().threads(1).batchSize(4).build();

    private @TempDir Path folder;

    /** Keys and tensor declarations of a small model, most of which are numbers that sizes are computed from. */
    @ParameterizedTest
    @EnumSource(Outtype.class)
    @Timeout(value = 2, unit = TimeUnit.MINUTES)
    void declarations(Outtype outtype) throws IOException {
        ModelHyperparameters graph = new ModelHyperparameters(
                "bitnet-b1.58", "", 40, 64, 256, 256, 1, 4, 2, 64, 64, 10000, 1e-5f, FfnActivation.RELU_SQUARED, true, true);
        Path whole = TestGguf.random(graph, outtype, 1).write(folder.resolve("whole.gguf"));
        int refused = damage(whole, headerBytes(whole), 500);
        assertThat(refused).isBetween(250, 499);
    }

    @ParameterizedTest
    @EnumSource(Outtype.class)
    void weights(Outtype outtype) throws IOException {
        ModelHyperparameters graph = new ModelHyperparameters(
                "llama", "", 40, 64, 256, 256, 1, 4, 2, 64, 64, 10000, 1e-5f, FfnActivation.SILU, false, true);
        Path whole = TestGguf.random(graph, outtype, 1).write(folder.resolve("whole.gguf"));
        damage(whole, Math.toIntExact(Files.size(whole)), 100);
    }

    /** Computed with as they lie, whatever bits flipped: refused, or what the same damage gives when it is repacked. */
    @ParameterizedTest
    @EnumSource(names = {"TL1", "TL2"})
    @Timeout(value = 2, unit = TimeUnit.MINUTES)
    void weightsThatAreLookedUp(Outtype outtype) throws IOException {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        ModelHyperparameters graph = new ModelHyperparameters(
                "llama", "", 40, 64, 128, 256, 1, 4, 2, 32, 32, 10000, 1e-5f, FfnActivation.SILU, false, true);
        Path whole = TestGguf.random(graph, outtype, 1).write(folder.resolve("whole.gguf"));
        byte[] bytes = Files.readAllBytes(whole);
        int data = headerBytes(whole);
        Random random = new Random(5);
        int computed = 0;
        int refused = 0;
        for (int round = 0; round < 150; round++) {
            byte[] mutant = bytes.clone();
            for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                mutant[data + random.nextInt(bytes.length - data)] ^= (byte) (1 << random.nextInt(8));
            }
            Path file = Files.write(folder.resolve("damaged.gguf"), mutant);
            Object lookedUp = outcome(file, KernelFamily.LUT);
            assertThat(lookedUp).as("round %d", round).isEqualTo(outcome(file, KernelFamily.MAD));
            if (lookedUp instanceof String) {
                refused++;
            } else {
                computed++;
            }
            Files.delete(file);
        }
        assertThat(computed).isPositive();
        assertThat(refused).isPositive();
    }

    /** Logits of a batch that is unpacked and of one token more; or why not. */
    private static Object outcome(Path file, KernelFamily family) {
        ModelOptions options =
                ModelOptions.builder().threads(1).batchSize(64).family(family).build();
        try (Model model = Model.load(file, options);
                Session session = model.session()) {
            assertThat(model.info().lut().isPresent()).isEqualTo(family == KernelFamily.LUT);
            int[] prompt = new int[50];
            Arrays.setAll(prompt, i -> i % 40);
            session.feed(prompt);
            List<Integer> bits = new ArrayList<>();
            for (int step = 0; step < 2; step++) {
                for (float logit : session.logits().toArray(ValueLayout.JAVA_FLOAT)) {
                    bits.add(Float.floatToIntBits(logit)); // one NaN is as good as another
                }
                session.feed(7);
            }
            return bits;
        } catch (InputException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** Beside the model's, the keys of a tokenizer and of a chat template. */
    @Test
    @Timeout(value = 2, unit = TimeUnit.MINUTES)
    void tokenizer() throws IOException {
        Path checkpoint = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet/packed-u8");
        Path whole = folder.resolve("whole.gguf");
        try (Checkpoint open = Checkpoint.open(checkpoint)) {
            TestGguf.of(open, Outtype.TQ2_0).write(whole);
        }
        assertThat(damage(whole, headerBytes(whole), 60)).isBetween(5, 59);
    }

    private static int headerBytes(Path file) {
        try (GgufFile open = GgufFile.open(file)) {
            return Math.toIntExact(open.dataStart());
        }
    }

    /** How many of {@code rounds} copies, each with one to three bytes changed below {@code limit}, were refused. */
    private int damage(Path whole, int limit, int rounds) throws IOException {
        byte[] bytes = Files.readAllBytes(whole);
        Random random = new Random(3);
        int refused = 0;
        for (int round = 0; round < rounds; round++) {
            byte[] mutant = bytes.clone();
            for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                int at = random.nextInt(limit);
                mutant[at] = (byte) (random.nextBoolean() ? mutant[at] ^ 1 << random.nextInt(8) : random.nextInt());
            }
            Path file = Files.write(folder.resolve("damaged.gguf"), mutant);
            Throwable thrown = catchThrowable(() -> use(file));
            if (thrown != null) {
                assertThat(thrown).as("round %d", round).isInstanceOf(InputException.class);
                refused++;
            }
            Files.delete(file); // never overwritten, as it may still be mapped
        }
        return refused;
    }

    private static void use(Path file) {
        try (Model model = Model.load(file, ONE);
                Session session = model.session()) {
            session.feed(1, 2, 3, 4, 5, 6);
            model.generate(new int[] {1, 2, 3}, GenerationOptions.builder().maxTokens(4).build()).text();
        }
    }
}
