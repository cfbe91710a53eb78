package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.convert.ConversionReport;
import dev.tern.convert.Converter;
import dev.tern.inspect.Inspector;
import dev.tern.convert.Validator;
import dev.tern.gguf.GgufFile;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A small checkpoint of every family of models, in the forms it is met in, through the whole of Tern: it is converted to
 * every outtype that can hold it, validated against the checkpoint and by itself, and run.
 */
class FamiliesTest {
    private static final int[] IDS = {300, 17, 942, 5, 5, 611, 1001, 88, 40, 256, 7, 730};

    private @TempDir Path folder;

    static Stream<Arguments> checkpoints() {
        return SyntheticCheckpoint.presets().stream().flatMap(preset -> formats(preset).map(format -> Arguments.of(preset, format)));
    }

    /** Continuous weights in a Llama whose configuration does not declare them ternary are refused, rightly. */
    private static Stream<WeightFormat> formats(String preset) {
        return Arrays.stream(WeightFormat.values())
                .filter(format -> !preset.equals("TriLM-3.9B") || format != WeightFormat.ONLINE);
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void isConvertedValidatedAndRun(String preset, WeightFormat format) {
        Path checkpoint = folder.resolve("checkpoint");
        SyntheticCheckpoint synthetic = SyntheticCheckpoint.like(preset).small().format(format).seed(11);
        synthetic.to(checkpoint);
        assertThat(Inspector.inspect(checkpoint).findings())
                .noneMatch(finding -> finding.severity() == dev.tern.inspect.Inspection.Severity.ERROR);
        List<Outtype> outtypes;
        try (Checkpoint open = Checkpoint.open(checkpoint)) {
            assertThat(open.format()).isEqualTo(format);
            assertThat(withoutName(open.hyperparameters())).isEqualTo(withoutName(synthetic.hyperparameters()));
            // Whatever a matrix was stored as, it is (T, s) from there on: one form goes through all outtypes.
            outtypes = Arrays.stream(Outtype.values())
                    .filter(outtype -> format == WeightFormat.PACKED || outtype == Outtype.F32)
                    .filter(outtype -> holds(open, outtype))
                    .toList();
        }
        Map<Boolean, int[]> logits = new HashMap<>();
        for (Outtype outtype : outtypes) {
            Path gguf = folder.resolve(outtype.label() + ".gguf");
            ConversionReport report = Converter.from(checkpoint).outtype(outtype).validate(true).to(gguf);
            assertThat(report.validation().ok()).isTrue();
            assertThat(Validator.validate(gguf, null).problems()).as(outtype.label()).isEmpty();
            try (GgufFile file = GgufFile.open(gguf)) {
                assertThat(withoutName(GgufHyperparameters.read(file)))
                        .isEqualTo(withoutName(synthetic.hyperparameters()));
            }
            int[] bits = logits(gguf);
            if (exactScale(outtype)) {
                assertThat(bits).as(outtype.label()).isEqualTo(logits.computeIfAbsent(true, key -> bits));
            }
        }
        assertThat(outtypes).hasSizeGreaterThanOrEqualTo(format == WeightFormat.PACKED ? 4 : 1);
    }

    /** Where s is kept as it is, the file's logits have the same bits, whatever the packing. */
    private static boolean exactScale(Outtype outtype) {
        return List.of(Outtype.I2_S, Outtype.TL1, Outtype.TL2, Outtype.F32).contains(outtype);
    }

    private static ModelHyperparameters withoutName(ModelHyperparameters model) {
        return new ModelHyperparameters(
                model.architecture(), "", model.vocabSize(), model.contextLength(), model.hiddenSize(),
                model.intermediateSize(), model.layers(), model.heads(), model.kvHeads(), model.headDim(),
                model.ropeDims(), model.ropeTheta(), model.normEps(), model.activation(), model.subNorms(),
                model.tiedHead(), model.lowRank(), model.diffusionBlock());
    }

    private static boolean holds(Checkpoint checkpoint, Outtype outtype) {
        return checkpoint.tensors().stream()
                .filter(CheckpointTensor::ternary)
                .allMatch(tensor -> outtype.obstacle(tensor.rows(), tensor.cols()).isEmpty());
    }

    private static int[] logits(Path gguf) {
        try (Model model = Model.load(gguf, ModelOptions.builder().threads(2).batchSize(8).build());
                Session session = model.session()) {
            session.feed(IDS);
            float[] values = session.logits().toArray(ValueLayout.JAVA_FLOAT);
            double squares = 0;
            for (float value : values) {
                squares += (double) value * value;
            }
            // Embeddings of deviation 2.5/sqrt(H) over a normed state give logits of deviation 2.5.
            assertThat(Math.sqrt(squares / values.length)).isBetween(1.5, 4.0);
            return session.logits().toArray(ValueLayout.JAVA_INT);
        }
    }
}
