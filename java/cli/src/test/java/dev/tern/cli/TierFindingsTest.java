package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.kernels.Tier;
import dev.tern.kernels.TierProof;
import dev.tern.kernels.TierProof.Outcome;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ArrayNode;

class TierFindingsTest {
    private static final TierProof SCALAR = new TierProof(Tier.SCALAR, Outcome.RUNS, "");
    private static final TierProof AVX2 = new TierProof(Tier.AVX2, Outcome.RUNS, "");
    private static final TierProof NO_AVXVNNI =
            new TierProof(Tier.AVXVNNI, Outcome.OBSTACLE, "the CPU has no AVX-VNNI");
    private static final TierProof DEAD_AVX512 =
            new TierProof(Tier.AVX512VNNI, Outcome.CRASHED, "SIGILL in kernel quantize");

    @Test
    void namesTheHighestTierThatRunsAsTheCure() {
        TierFindings found = new TierFindings(List.of(SCALAR, AVX2, NO_AVXVNNI, DEAD_AVX512), Tier.AVX512VNNI);
        assertThat(found.advice()).hasValueSatisfying(advice -> assertThat(advice)
                .contains("crashed (SIGILL in kernel quantize)")
                .contains("does not do what it announces")
                .endsWith("Set TERN_MAX_TIER=avx2."));
    }

    @Test
    void switchesNativeKernelsOffWhereNoneRuns() {
        TierProof wrong = new TierProof(Tier.SCALAR, Outcome.WRONG, "in kernel add");
        assertThat(new TierFindings(List.of(wrong, DEAD_AVX512), Tier.AVX512VNNI).advice())
                .hasValueSatisfying(advice -> assertThat(advice).endsWith("Set TERN_NATIVE=off."));
        assertThat(new TierFindings(List.of(wrong), Tier.SCALAR).advice())
                .hasValueSatisfying(advice -> assertThat(advice).contains("gives a wrong result"));
    }

    @Test
    void advisesNothingWhereTheTierInUseRuns() {
        List<TierProof> held = List.of(SCALAR, AVX2, NO_AVXVNNI, DEAD_AVX512);
        assertThat(new TierFindings(held, Tier.AVX2).advice()).isEmpty(); // held back already
        assertThat(new TierFindings(held, Tier.JAVA).advice()).isEmpty();
        TierProof silent = new TierProof(Tier.AVX2, Outcome.UNKNOWN, "no answer within 60 seconds");
        assertThat(new TierFindings(List.of(SCALAR, silent), Tier.AVX2).advice()).isEmpty();
        assertThat(new TierFindings(List.of(), Tier.JAVA).advice()).isEmpty();
    }

    @Test
    void saysEachOutcomeInWordsAndInJson() {
        assertThat(TierFindings.text(AVX2)).startsWith("runs");
        assertThat(TierFindings.text(NO_AVXVNNI)).isEqualTo("no: the CPU has no AVX-VNNI");
        assertThat(TierFindings.text(DEAD_AVX512)).isEqualTo("no: announced, but crashed: SIGILL in kernel quantize");
        ArrayNode json = Json.object().putArray("tiers");
        new TierFindings(List.of(AVX2, NO_AVXVNNI, DEAD_AVX512), Tier.AVX2).toJson(json);
        assertThat(json.toString()).isEqualTo("["
                + "{\"tier\":\"avx2\",\"usable\":true,\"obstacle\":null,\"outcome\":\"runs\",\"detail\":\"\"},"
                + "{\"tier\":\"avxvnni\",\"usable\":false,\"obstacle\":\"the CPU has no AVX-VNNI\","
                + "\"outcome\":\"obstacle\",\"detail\":\"the CPU has no AVX-VNNI\"},"
                + "{\"tier\":\"avx512vnni\",\"usable\":false,\"obstacle\":null,"
                + "\"outcome\":\"crashed\",\"detail\":\"SIGILL in kernel quantize\"}]");
    }
}
