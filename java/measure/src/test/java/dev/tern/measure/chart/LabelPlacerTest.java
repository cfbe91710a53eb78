package dev.tern.measure.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LabelPlacerTest {
    private static final Box AREA = new Box(0, 0, 330, 260);

    @Test
    void labelsCoverNeitherMarksNorEachOther() {
        SplittableRandom random = new SplittableRandom(11);
        for (int round = 0; round < 40; round++) {
            LabelPlacer placer = new LabelPlacer(AREA);
            List<Box> marks = new ArrayList<>();
            int points = random.nextInt(1, 16);
            boolean crowded = random.nextBoolean(); // all in a corner
            for (int i = 0; i < points; i++) {
                double x = 20 + random.nextDouble(crowded ? 30 : 300);
                double y = 20 + random.nextDouble(crowded ? 20 : 220);
                marks.add(Box.around(x, y, 6));
                placer.avoid(marks.getLast());
                placer.want(x, y, random.nextDouble(20, 120));
            }
            List<Box> labels =
                    placer.places().stream().map(Optional::orElseThrow).toList();
            assertThat(labels).hasSize(points);
            for (int i = 0; i < points; i++) {
                Box label = labels.get(i);
                assertThat(label.within(AREA)).isTrue();
                assertThat(marks).noneMatch(label::overlaps);
                assertThat(labels.subList(0, i)).noneMatch(label::overlaps);
            }
        }
    }

    @Test
    void aLabelAloneStandsRightOfItsMark() {
        LabelPlacer placer = new LabelPlacer(AREA);
        placer.want(100, 100, 40);
        assertThat(placer.places()).containsExactly(Optional.of(new Box(107, 92, 147, 108)));
    }

    @Test
    void whatHasNoRoomHasNoPlace() {
        LabelPlacer placer = new LabelPlacer(AREA);
        placer.want(100, 100, 500);
        assertThat(placer.places()).containsExactly(Optional.empty());
        assertThat(new LabelPlacer(AREA).places()).isEmpty();
    }

    @Test
    void labelsOfLinesAreALineApartAndInOrder() {
        SplittableRandom random = new SplittableRandom(13);
        for (int round = 0; round < 200; round++) {
            double[] wanted =
                    random.doubles(random.nextInt(1, 14), 26, 240).sorted().toArray();
            double[] places = ScalingChart.spread(wanted, 26, 258);
            assertThat(places[0]).isGreaterThanOrEqualTo(26);
            assertThat(places[places.length - 1]).isLessThanOrEqualTo(258);
            for (int i = 1; i < places.length; i++) {
                assertThat(places[i] - places[i - 1]).isGreaterThanOrEqualTo(15.99);
            }
        }
        assertThat(ScalingChart.spread(new double[] {50, 100}, 26, 258)).containsExactly(50, 100);
    }

    @Test
    void aSegmentCrossesABoxOrDoesNot() {
        Box box = new Box(10, 10, 20, 20);
        assertThat(box.crosses(0, 15, 30, 15)).isTrue();
        assertThat(box.crosses(12, 12, 13, 13)).isTrue();
        assertThat(box.crosses(0, 0, 9, 30)).isFalse();
        assertThat(box.crosses(0, 25, 30, 25)).isFalse();
        assertThat(box.crosses(15, 0, 15, 5)).isFalse();
    }
}
