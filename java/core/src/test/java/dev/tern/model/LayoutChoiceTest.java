package dev.tern.model;

import static dev.tern.kernels.TernaryLayout.PANELS_2BIT;
import static dev.tern.kernels.TernaryLayout.PANELS_5TRIT;
import static dev.tern.kernels.TernaryLayout.PANELS_MIXED;
import static dev.tern.kernels.TernaryLayout.ROWS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.ModelOptions;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.Tier;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LayoutChoiceTest {
    private static final String AMD = "model name : AMD EPYC 9R14";
    private static final String INTEL = "model name : Intel(R) Xeon(R)";

    @ParameterizedTest
    @CsvSource({
        "JAVA, ROWS", "SCALAR, ROWS", "AVX2, ROWS", "NEON, ROWS",
        "AVXVNNI, PANELS_5TRIT", "AVX512VNNI, PANELS_5TRIT", "AMX, PANELS_5TRIT", "NEONDOT, PANELS_2BIT"
    })
    void followsTheTier(Tier tier, TernaryLayout expected) {
        LayoutChoice choice = LayoutChoice.of(tier, 2, 1, Optional.empty(), false);
        assertThat(choice.of(2560, true)).isEqualTo(expected);
        assertThat(choice.of(2560, false)).isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void isWhatTheUserWants(Tier tier) {
        for (TernaryLayout layout : TernaryLayout.values()) {
            assertThat(LayoutChoice.of(tier, 2, 1, Optional.of(layout), false).of(6912, true)).isEqualTo(layout);
        }
    }

    @Test
    void oneCoreOfAmdsTakesNoFiveTrits() {
        for (Tier tier : new Tier[] {Tier.AVXVNNI, Tier.AVX512VNNI, Tier.AMX}) {
            assertThat(LayoutChoice.of(tier, 1, 1, Optional.empty(), false, AMD).of(2560, false))
                    .isEqualTo(tier == Tier.AVX512VNNI ? PANELS_MIXED : PANELS_2BIT);
            assertThat(LayoutChoice.of(tier, 2, 1, Optional.empty(), false, AMD).of(2560, false))
                    .isEqualTo(PANELS_5TRIT);
            assertThat(LayoutChoice.of(tier, 1, 1, Optional.empty(), false, INTEL).of(2560, false))
                    .isEqualTo(PANELS_5TRIT);
        }
    }

    @Test
    void sequencesTogetherTakeWhatIsFastestForManyWhereThereArePanels() {
        for (Tier tier : Tier.values()) {
            TernaryLayout alone = LayoutChoice.of(tier, 2, 1, Optional.empty(), false).of(2560, false);
            TernaryLayout onIntel = LayoutChoice.of(tier, 2, 8, Optional.empty(), false, INTEL)
                    .of(2560, false);
            TernaryLayout onAmd =
                    LayoutChoice.of(tier, 2, 8, Optional.empty(), false, AMD).of(2560, false);
            assertThat(onIntel).isEqualTo(alone == ROWS ? ROWS : PANELS_2BIT);
            assertThat(onAmd).isEqualTo(tier == Tier.AVX512VNNI ? PANELS_MIXED : onIntel);
            assertThat(LayoutChoice.of(tier, 2, 8, Optional.of(PANELS_5TRIT), false).of(2560, false))
                    .as("asked for")
                    .isEqualTo(PANELS_5TRIT);
        }
        assertThatThrownBy(() -> ModelOptions.builder().sequences(0).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("sequences");
    }

    @Test
    void tooManyColumnsForTritsTakeTwoBits() {
        LayoutChoice choice = LayoutChoice.of(Tier.AVX2, 2, 1, Optional.of(PANELS_5TRIT), false);
        assertThat(choice.of(65_535, false)).isEqualTo(PANELS_5TRIT);
        assertThat(choice.of(65_536, false)).isEqualTo(PANELS_2BIT);
    }

    @Test
    void mappedRowsStayRows() {
        for (Tier tier : Tier.values()) {
            LayoutChoice choice = LayoutChoice.of(tier, 2, 1, Optional.empty(), true);
            assertThat(choice.of(2560, true)).isEqualTo(ROWS);
            assertThat(choice.inPlace(2560, true)).isTrue();
            assertThat(choice.inPlace(2560, false)).isFalse();
            assertThat(choice.copies()).isFalse();
        }
        assertThat(LayoutChoice.of(Tier.AVX512VNNI, 2, 1, Optional.empty(), true).of(2560, false))
                .isEqualTo(PANELS_5TRIT);
        assertThatThrownBy(() -> LayoutChoice.of(Tier.AVX2, 2, 1, Optional.of(PANELS_2BIT), true))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ModelOptions.builder().mapped(true).layout(PANELS_5TRIT).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("mapped")
                .hasMessageContaining("rows");
    }

    @Test
    void onlyVectorTiersCopyAndOnlyWhereLargePagesPay() {
        for (Tier tier : Tier.values()) {
            boolean vectors = tier != Tier.JAVA && tier != Tier.SCALAR;
            LayoutChoice intel = LayoutChoice.of(tier, 2, 1, Optional.of(ROWS), false, "model name : Intel(R) Xeon(R)");
            assertThat(intel.copies()).isEqualTo(vectors);
            assertThat(intel.inPlace(128, true)).isEqualTo(!vectors);
            LayoutChoice amd = LayoutChoice.of(tier, 2, 1, Optional.of(ROWS), false, "model name : AMD EPYC 9R14");
            assertThat(amd.copies()).isFalse();
            assertThat(amd.inPlace(128, true)).isTrue();
            assertThat(amd.inPlace(128, false)).isFalse();
        }
    }
}
