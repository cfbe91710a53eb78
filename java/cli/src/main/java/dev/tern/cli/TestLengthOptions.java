package dev.tern.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How long the two tests are that formats or engines take turns in. */
final class TestLengthOptions {
    /** The options that leave both tests out. */
    static final String NEITHER = "-p 0 -n 0";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create(); // replaced by picocli

    @Option(
            names = {"-p", "--n-prompt"},
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of the prompt test; 0 leaves it out (default: ${DEFAULT-VALUE}).")
    private int prompt;

    @Option(
            names = {"-n", "--n-gen"},
            paramLabel = "N",
            defaultValue = "128",
            description = "Tokens of the generation test; 0 leaves it out (default: ${DEFAULT-VALUE}).")
    private int generated;

    /** Refuses a negative length. */
    void check() {
        Usage usage = new Usage(command);
        usage.atLeast("-p", 0, prompt);
        usage.atLeast("-n", 0, generated);
    }

    int prompt() {
        return prompt;
    }

    int generated() {
        return generated;
    }

    /** Whether both tests are left out. */
    boolean neither() {
        return prompt == 0 && generated == 0;
    }
}
