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
}
