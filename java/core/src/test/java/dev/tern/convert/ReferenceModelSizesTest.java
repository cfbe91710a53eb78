package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufLayout;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufValue;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.TensorShape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Bytes of tensor data of BitNet b1.58 2B-4T: 2 084 044 800 ternary weights in 210 matrices, an embedding of 328 335 360,
 * and 440 320 weights of norms. The expected numbers follow from bits a weight alone, by hand, and are those of published
 * files.
 */
class ReferenceModelSizesTest {
    private static final long NORMS = 4L * 440_320;

    @ParameterizedTest
    @CsvSource({
        "TQ1_0, 439603200", // 54 bytes for 256
        "TQ2_0, 537292800", // 66 for 256
        "I2_S, 521017920", // a quarter, and 32 for each of the 210 matrices
        "TL1, 521017920", // the same
        "TL2, 441474240", // 30 layers of 2 x 1392672 (q, o), 2 x 348192 (k, v), 2 x 3760160 (gate, up), 3713760 (down)
        "Q2_K, 683827200", // 84 for 256
        "Q4_0, 1172275200", // 18 for 32
        "Q8_0, 2214297600", // 34 for 32
        "F16, 4168089600",
        "BF16, 4168089600",
        "F32, 8336179200"
    })
    void ternary(GgmlType type, long expected) {
        assertThat(bytes(type, GgmlType.F16)).isEqualTo(expected + 656_670_720L + NORMS);
    }

    @ParameterizedTest
    @CsvSource({"F32, 1313341440", "F16, 656670720", "BF16, 656670720", "Q8_0, 348856320", "Q6_K, 269337600"})
    void embedding(GgmlType type, long expected) {
        assertThat(bytes(GgmlType.TQ1_0, type)).isEqualTo(439_603_200L + expected + NORMS);
    }

    private static long bytes(GgmlType ternary, GgmlType embedding) {
        ModelHyperparameters model = SyntheticCheckpoint.like("2b-4t").hyperparameters();
        GgufLayout.Builder layout = GgufLayout.builder().metadata("general.architecture", GgufValue.of("bitnet-b1.58"));
        for (TensorShape shape : TensorShape.of(model)) {
            switch (shape.kind()) {
                case NORM -> layout.tensor(shape.name(), GgmlType.F32, shape.cols());
                case PROJECTION -> layout.tensor(shape.name(), ternary, shape.cols(), shape.rows());
                default -> layout.tensor(shape.name(), embedding, shape.cols(), shape.rows());
            }
        }
        return layout.build().tensors().stream().mapToLong(GgufTensor::byteSize).sum();
    }
}
