package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class ThreadAffinityTest {

    @Test
    void onlyLinuxHasNoObstacle() {
        assertThat(ThreadAffinity.obstacle().isEmpty()).isEqualTo(System.getProperty("os.name").equals("Linux"));
    }

    @Test
    void threadIsBoundToEachOfItsProcessorsAndFreedAgain() throws InterruptedException {
        Assumptions.assumeTrue(ThreadAffinity.obstacle().isEmpty());
        BitSet seen = new BitSet();
        BitSet[] all = new BitSet[2];
        Thread thread = new Thread(() -> {
            ThreadAffinity before = ThreadAffinity.ofCurrentThread();
            all[0] = before.processors();
            all[0].stream().forEach(processor -> {
                BitSet one = new BitSet();
                one.set(processor);
                ThreadAffinity.of(one).apply();
                seen.or(ThreadAffinity.ofCurrentThread().processors());
                assertThat(ThreadAffinity.ofCurrentThread().processors()).isEqualTo(one);
            });
            before.apply();
            all[1] = ThreadAffinity.ofCurrentThread().processors();
        });
        thread.start();
        thread.join();
        assertThat(all[0].isEmpty()).isFalse();
        assertThat(seen).isEqualTo(all[0]);
        assertThat(all[1]).isEqualTo(all[0]);
    }

    @Test
    void processorsThatAreNotThereAreRefused() {
        Assumptions.assumeTrue(ThreadAffinity.obstacle().isEmpty());
        BitSet none = new BitSet();
        assertThatThrownBy(() -> ThreadAffinity.of(none)).isInstanceOf(IllegalArgumentException.class);
        none.set(8192);
        assertThatThrownBy(() -> ThreadAffinity.of(none)).isInstanceOf(IllegalArgumentException.class);
        BitSet last = new BitSet();
        last.set(8191);
        Assumptions.assumeFalse(ThreadAffinity.ofCurrentThread().processors().get(8191));
        assertThatThrownBy(() -> ThreadAffinity.of(last).apply())
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("8191")
                .hasMessageContaining("error 22");
    }
}
