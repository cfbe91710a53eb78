package dev.tern.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.io.InputException;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Thousands of damaged copies of a small checkpoint, from a fixed seed. Each is either read to the end or refused with
 * an {@link InputException}; anything else, such as an index out of bounds, an overflow or a hang, fails the test.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class CheckpointFuzzTest {
    private static final ModelHyperparameters MODEL = new ModelHyperparameters(
            "bitnet-b1.58", "fuzz", 272, 64, 4, 6, 1, 1, 1, 2, 2, 1e4f, 1e-5f, FfnActivation.RELU_SQUARED, true, true);

    /** What a header is made of, and numbers that overflow. */
    private static final List<String> WORDS = List.of("0", "-1", "9223372036854775807", "4611686018427387904",
            "4294967296", "2147483648", "1e9", "null", "true", "{}", "[]", "[", "}", ",", ":", "\"", "\\u0000",
            "\"F64\"", "\"U8\"", "\"BF16\"", "data_offsets", "__metadata__", "shape", "..", "/", " ");

    @TempDir
    private Path folder;

    private byte[] weights = {};
    private byte[] config = {};

    @BeforeEach
    void writeModel() throws IOException {
        SyntheticCheckpoint.of(MODEL).format(WeightFormat.PACKED).to(folder);
        weights = Files.readAllBytes(folder.resolve("model.safetensors"));
        config = Files.readAllBytes(folder.resolve("config.json"));
    }

    @Test
    void damagedWeights() throws IOException {
        int header = (int) ByteBuffer.wrap(weights).order(ByteOrder.LITTLE_ENDIAN).getLong();
        int accepted = fuzz("model.safetensors", weights, 8 + header, 2400, 1);
        // Damage to values and to the padding's spaces is none to the format: both outcomes must occur.
        assertThat(accepted).isBetween(24, 1600);
    }

    @Test
    void damagedConfig() throws IOException {
        int accepted = fuzz("config.json", config, config.length, 1000, 2);
        assertThat(accepted).isBetween(10, 700);
    }

    /** Shards behind an index whose text is damaged. */
    @Test
    void damagedIndex() throws IOException {
        TestCheckpoints.writeSharded(
                folder, TestCheckpoints.tensors(folder.resolve("model.safetensors")), name -> name.contains("mlp"));
        Files.delete(folder.resolve("model.safetensors"));
        byte[] index = Files.readAllBytes(folder.resolve("model.safetensors.index.json"));
        int accepted = fuzz("model.safetensors.index.json", index, index.length, 400, 3);
        assertThat(accepted).isBetween(1, 350);
    }

    private int fuzz(String name, byte[] good, int headEnd, int rounds, long seed) throws IOException {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        int accepted = 0;
        for (int round = 0; round < rounds; round++) {
            byte[] bad = good;
            for (int i = random.nextInt(3); i >= 0; i--) {
                bad = mutate(bad, Math.min(headEnd, bad.length), random);
            }
            Files.write(folder.resolve(name), bad);
            try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                CheckpointTest.readAll(checkpoint);
                accepted++;
            } catch (InputException e) {
                assertThat(e.getMessage()).isNotBlank();
            } catch (RuntimeException | Error e) {
                throw new AssertionError("round " + round + ": " + new String(bad, 0,
                        Math.min(headEnd + 64, bad.length), StandardCharsets.ISO_8859_1), e);
            }
        }
        return accepted;
    }

    /**
     * One change, mostly in the head: a bit, a byte, a digit, a word put in or over, a piece cut out, repeated or cut
     * off.
     */
    private static byte[] mutate(byte[] in, int headEnd, RandomGenerator random) {
        if (in.length < 2) {
            return in;
        }
        int at = random.nextInt(10) == 0 ? random.nextInt(in.length) : random.nextInt(Math.max(1, headEnd));
        byte[] out = in.clone();
        switch (random.nextInt(8)) {
            case 0 -> out[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> out[at] = (byte) random.nextInt(256);
            case 2 -> {
                for (int i = at; i < Math.min(at + 64, out.length); i++) {
                    if (out[i] >= '0' && out[i] <= '9') {
                        out[i] = (byte) ('0' + random.nextInt(10));
                        break;
                    }
                }
            }
            case 3 -> out = splice(in, at, at, word(random));
            case 4 -> out = splice(in, at, Math.min(in.length, at + 1 + random.nextInt(12)), word(random));
            case 5 -> out = splice(in, at, Math.min(in.length, at + 1 + random.nextInt(200)), new byte[0]);
            case 6 -> {
                int end = Math.min(in.length, at + 1 + random.nextInt(200));
                out = splice(in, at, at, Arrays.copyOfRange(in, at, end));
            }
            default -> out = Arrays.copyOf(in, random.nextInt(4) == 0 ? at : in.length - random.nextInt(8));
        }
        boolean repairLength = headEnd < in.length && random.nextInt(4) != 0 && out.length > 8;
        if (repairLength) { // else nearly every change of length would end at the header's length
            long length = ByteBuffer.wrap(in).order(ByteOrder.LITTLE_ENDIAN).getLong(0) + out.length - in.length;
            ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        }
        return out;
    }

    private static byte[] word(RandomGenerator random) {
        return WORDS.get(random.nextInt(WORDS.size())).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] splice(byte[] in, int from, int to, byte[] middle) {
        byte[] out = new byte[from + middle.length + in.length - to];
        System.arraycopy(in, 0, out, 0, from);
        System.arraycopy(middle, 0, out, from, middle.length);
        System.arraycopy(in, to, out, from + middle.length, in.length - to);
        return out;
    }
}
