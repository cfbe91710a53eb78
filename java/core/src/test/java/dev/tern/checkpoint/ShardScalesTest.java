package dev.tern.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.checkpoint.TestCheckpoints.Content;
import dev.tern.io.InputException;
import dev.tern.safetensors.SafetensorsType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Matrices that are ternary slice by slice: they are told from continuous ones, and refused with the reason. */
class ShardScalesTest {
    private static final String UP = "model.layers.0.mlp.up_proj.weight"; // outputs were split: slices of rows
    private static final String DOWN = "model.layers.0.mlp.down_proj.weight"; // inputs: slices of columns

    @TempDir
    private Path folder;

    /** Multiplies the weights of slice i by 1 + i/8, which f16 holds. */
    private void slice(String tensor, int slices, boolean byRow) {
        Path file = folder.resolve("model.safetensors");
        SequencedMap<String, Content> tensors = TestCheckpoints.tensors(file);
        Content content = tensors.get(tensor);
        assertThat(content.type()).isEqualTo(SafetensorsType.F16);
        int rows = content.shape().get(0).intValue();
        int cols = content.shape().get(1).intValue();
        ByteBuffer values = ByteBuffer.wrap(content.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < rows * cols; i++) {
            int slice = byRow ? i / cols / (rows / slices) : i % cols / (cols / slices);
            float value = Float.float16ToFloat(values.getShort(2 * i)) * (1 + slice / 8f);
            values.putShort(2 * i, Float.floatToFloat16(value));
        }
        TestCheckpoints.write(file, tensors);
    }

    private void write() {
        SyntheticCheckpoint.like("TriLM-3.9B").small().layers(1).vocabulary(300).to(folder);
    }

    @ParameterizedTest
    @CsvSource({UP + ", 2, true, rows", UP + ", 6, true, rows", DOWN + ", 4, false, columns"})
    void severalScalesAreCountedAndRefused(String tensor, int slices, boolean byRow, String direction) {
        write();
        slice(tensor, slices, byRow);
        assertThatThrownBy(() -> {
                    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                        CheckpointTest.readAll(checkpoint);
                    }
                })
                .isInstanceOf(InputException.class)
                .hasMessageContaining(tensor)
                .hasMessageContaining("is ternary, but with " + slices + " scales, one for each slice of " + direction)
                .hasMessageContaining("llama.cpp");
    }

    /** Also where the first matrix is such a one, which decides what the whole is. */
    @Test
    void theFirstMatrixTooIsNotCalledContinuous() {
        write();
        slice("model.layers.0.self_attn.q_proj.weight", 2, true);
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("with 2 scales");
    }

    @Test
    void oneScaleIsRead() {
        write();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.format()).isEqualTo(WeightFormat.TERNARY_FLOATS);
            assertThatCode(() -> CheckpointTest.readAll(checkpoint)).doesNotThrowAnyException();
        }
    }

    @Test
    void continuousWeightsHaveNoSlices() {
        Random random = new Random(3);
        float[] values = new float[64 * 48];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(3) == 0 ? 0 : (float) random.nextGaussian();
        }
        ShardScales shards = new ShardScales(48);
        assertThat(shards.accept(values, values.length, 0)).isFalse();
        assertThat(shards.count()).isEqualTo(1);
    }

    /** A single row, or a handful of weights that are not zero, prove nothing. */
    @Test
    void chanceIsNoSlice() {
        float[] row = new float[256];
        for (int i = 0; i < row.length; i++) {
            row[i] = 1 + i;
        }
        ShardScales one = new ShardScales(256);
        assertThat(one.accept(row, 256, 0)).isTrue();
        assertThat(one.count()).isEqualTo(1);
        float[] sparse = new float[256];
        sparse[3] = 1;
        sparse[77] = 2;
        ShardScales few = new ShardScales(16);
        few.accept(sparse, 256, 0);
        assertThat(few.count()).isEqualTo(1);
    }

    /** Values come in pieces that end anywhere in a row. */
    @Test
    void piecesMakeNoDifference() {
        float[] values = new float[20 * 30];
        for (int i = 0; i < values.length; i++) {
            values[i] = (i * 7 % 3 - 1) * (i / 30 < 10 ? 0.5f : 0.75f);
        }
        ShardScales shards = new ShardScales(30);
        for (int first = 0; first < values.length; first += 17) {
            int count = Math.min(17, values.length - first);
            float[] piece = java.util.Arrays.copyOfRange(values, first, first + count);
            assertThat(shards.accept(piece, count, first)).isTrue();
        }
        assertThat(shards.count()).isEqualTo(2);
        assertThat(shards.direction()).isEqualTo("rows");
    }
}
