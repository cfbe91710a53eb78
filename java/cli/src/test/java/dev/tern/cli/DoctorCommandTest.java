package dev.tern.cli;

import static dev.tern.cli.InProcess.tern;
import static dev.tern.cli.TinyModel.json;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What the machine can do. */
class DoctorCommandTest {
    /** Each tier is tried in a process of its own, so this tells that what is said to run does. */
    @Test
    void doctorRunsEveryTierThatHasNoObstacle() {
        JsonNode tiers = json(tern("doctor", "--json")).path("kernels").path("tiers");
        for (JsonNode tier : tiers) {
            assertThat(tier.path("outcome").asString())
                    .as(tier.toString())
                    .isEqualTo(tier.path("obstacle").isNull() ? "runs" : "obstacle");
        }
        String text = tern("doctor").out();
        assertThat(text.contains("runs, and gives the reference's results")).isEqualTo(!tiers.isEmpty());
    }
}
