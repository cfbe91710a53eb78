package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.ModelOptions;
import dev.tern.kernels.TernaryLayout;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class LayoutOptionsTest {
    @CommandLine.Command(name = "test")
    private static final class Command {
        @CommandLine.Mixin
        private LayoutOptions layout = new LayoutOptions();
    }

    private static ModelOptions options(String... args) {
        Command command = new Command();
        new CommandLine(command).parseArgs(args);
        ModelOptions.Builder builder = ModelOptions.builder();
        command.layout.applyTo(builder);
        return builder.build();
    }

    @Test
    void wordsNameLayouts() {
        assertThat(options().layout()).isEmpty();
        assertThat(options("--layout", "auto").layout()).isEmpty();
        assertThat(options("--layout", "rows").layout()).isEqualTo(Optional.of(TernaryLayout.ROWS));
        assertThat(options("--layout", "panels2").layout()).isEqualTo(Optional.of(TernaryLayout.PANELS_2BIT));
        assertThat(options("--layout", "panels5").layout()).isEqualTo(Optional.of(TernaryLayout.PANELS_5TRIT));
        assertThat(options("--layout", "mixed").layout()).isEqualTo(Optional.of(TernaryLayout.PANELS_MIXED));
        assertThatThrownBy(() -> options("--layout", "tiles"))
                .isInstanceOf(CommandLine.ParameterException.class)
                .hasMessageContaining("expected auto, rows, panels2, panels5 or mixed, found 'tiles'");
    }

    @Test
    void mappedIsAskedFor() {
        assertThat(options().mapped()).isFalse();
        assertThat(options("--mmap").mapped()).isTrue();
        assertThat(options("--mmap", "--layout", "rows").mapped()).isTrue();
        assertThatThrownBy(() -> options("--mmap", "--layout", "panels5"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("layout of a mapped file");
    }
}
