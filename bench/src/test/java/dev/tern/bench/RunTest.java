package dev.tern.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RunTest {

    @Test
    void forksGetArgumentsBesideTheUsersOwn() {
        assertThat(Run.withForkArguments(List.of("Call", "-f", "1"), List.of("-Da=1", "-Db=2")))
                .containsExactly("Call", "-f", "1", "-jvmArgsAppend", "-Da=1 -Db=2");
        assertThat(Run.withForkArguments(List.of("-jvmArgsAppend", "-Xmx1g", "Call"), List.of("-Da=1")))
                .containsExactly("-jvmArgsAppend", "-Xmx1g -Da=1", "Call");
        assertThat(Run.withForkArguments(List.of(), List.of("-Da=1"))).containsExactly("-jvmArgsAppend", "-Da=1");
    }

    /** The machine is measured only where somebody sees it. */
    @Test
    void limitsAreMeasuredForBenchmarksThatShowSharesOfThem() {
        assertThat(Run.showsShares(new String[] {"Ternary"})).isTrue();
        assertThat(Run.showsShares(new String[] {})).isTrue();
        assertThat(Run.showsShares(new String[] {"-f", "1", "Call|Sampler"})).isFalse();
        assertThat(Run.showsShares(new String[] {"-e", "matmul"})).isFalse();
        assertThat(Run.showsShares(new String[] {"Ternary", "-l"})).isFalse();
        assertThat(Run.showsShares(new String[] {"-no-such-option"})).isFalse();
        assertThat(Run.threads(new String[] {"-t", "3"})).containsExactly(1, 3);
        assertThat(Run.threads(new String[] {"-t", "max"}))
                .containsExactly(1, Runtime.getRuntime().availableProcessors());
        assertThat(Run.threads(new String[] {"Call"})).containsOnly(1);
    }
}
