package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class DraftRowsTest {
    private static final int[] DRAFT = {5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

    @Test
    void memoryThatCannotBeHadLeavesWhatWaits() {
        int rowBytes = 1 << 20;
        DraftRows rows = new DraftRows(rowBytes);
        rows.reserve(3);
        rows.logits().set(ValueLayout.JAVA_INT, rowBytes, 77);
        rows.batch(4, DRAFT, 3);
        rows.evaluated(3, 0, MemorySegment.ofArray(new byte[rowBytes]));
        assertThatThrownBy(() -> rows.reserve(1 << 26)).as("2^47 bytes").isInstanceOf(OutOfMemoryError.class);
        assertThat(rows.waiting()).isEqualTo(3);
        assertThat(rows.isNext(5)).isTrue();
        assertThat(rows.hasRoom(8)).isFalse();
        MemorySegment last = MemorySegment.ofArray(new int[rowBytes / 4]);
        rows.take(1, last);
        assertThat(last.get(ValueLayout.JAVA_INT, 0)).isEqualTo(77);
        rows.reserve(9);
        assertThat(rows.waiting()).as("more room is other room").isZero();
        assertThat(rows.batch(4, DRAFT, 9)).startsWith(4, 5, 6);
        rows.close();
    }

    @Test
    void nothingIsOpenedOnceItIsClosed() {
        DraftRows rows = new DraftRows(16);
        rows.reserve(2);
        MemorySegment logits = rows.logits();
        rows.close();
        rows.close();
        assertThat(logits.scope().isAlive()).isFalse();
        assertThatThrownBy(() -> rows.reserve(20)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> rows.reserve(1)).isInstanceOf(IllegalStateException.class);
    }
}
