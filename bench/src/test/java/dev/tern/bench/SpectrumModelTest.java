package dev.tern.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.Model;
import dev.tern.Session;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** In the file that is made tokens stand out as they do in a trained model, and in the one it is made from none does. */
class SpectrumModelTest {

    /** By how many standard deviations the largest logit lies above the mean, behind one token. */
    private static double deviations(Model model, int token) {
        try (Session session = model.session()) {
            session.feed(token);
            float[] logits = session.logits().toArray(JAVA_FLOAT);
            double mean = 0;
            for (float logit : logits) {
                mean += logit / logits.length;
            }
            double square = 0;
            for (float logit : logits) {
                square += Math.pow(logit - mean, 2) / logits.length;
            }
            Arrays.sort(logits);
            return (logits[logits.length - 1] - mean) / Math.sqrt(square);
        }
    }

    @Test
    void logitsFallAsThoseOfATrainedModel() throws IOException {
        try (SyntheticModel random = new SyntheticModel(2)) {
            Path spectrum = random.folder().resolve("spectrum.gguf");
            SpectrumModel.make(random.file(), spectrum);
            try (Model from = Model.load(random.file());
                    Model made = Model.load(spectrum)) {
                for (int token = 0; token < 8; token++) {
                    assertThat(deviations(from, token)).isLessThan(5);
                    assertThat(deviations(made, token)).isBetween(4.5, 14.0);
                    assertThat(deviations(made, token + SpectrumModel.STATES))
                            .as("the same state")
                            .isEqualTo(deviations(made, token));
                }
                double[] all = new double[8];
                Arrays.setAll(all, token -> deviations(made, token));
                assertThat(Arrays.stream(all).average().getAsDouble()).isGreaterThan(5.5);
            }
        }
    }
}
