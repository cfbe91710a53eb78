package dev.tern.cli;

import dev.tern.EndTokens;
import dev.tern.GenerationOptions;
import dev.tern.sampling.SamplingOptionsBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How the next token is chosen, and when to stop. */
final class SamplingOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create(); // replaced by picocli

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "Most tokens to generate; -1 as many as fit (default: 128, in a chat -1).")
    private @Nullable Integer maxTokens;

    @Option(
            names = {"--temp", "--temperature"},
            paramLabel = "T",
            defaultValue = "0.8",
            description = "Temperature; 0 always takes the likeliest token (default: ${DEFAULT-VALUE}).")
    private float temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "40",
            description = "Choose among the K likeliest tokens; 0 is all (default: ${DEFAULT-VALUE}).")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "0.95",
            description = "Choose among the likeliest tokens that together have probability P; 1 is all"
                    + " (default: ${DEFAULT-VALUE}).")
    private float topP;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            defaultValue = "0.05",
            description = "Leave out tokens less than P times as likely as the likeliest; 0 leaves out none"
                    + " (default: ${DEFAULT-VALUE}).")
    private float minP;

    @Option(
            names = "--repeat-penalty",
            paramLabel = "X",
            defaultValue = "1.0",
            description = "Above 1: make tokens of the recent text less likely (default: ${DEFAULT-VALUE}, off).")
    private float repeatPenalty;

    @Option(
            names = "--repeat-last-n",
            paramLabel = "N",
            defaultValue = "64",
            description = "How many tokens back penalties look; -1 is all (default: ${DEFAULT-VALUE}).")
    private int repeatLastN;

    @Option(
            names = {"-s", "--seed"},
            paramLabel = "S",
            description = "Seed of the random choice; the same seed gives the same text (default: a new one each"
                    + " time).")
    private @Nullable Long seed;

    @Option(names = "--stop", paramLabel = "TEXT", description = "Stop before this text. Can be given several times.")
    private List<String> stop = new ArrayList<>();

    @Option(names = "--ignore-eos", description = "Go on after end tokens, up to -n tokens or the end of the context.")
    private boolean ignoreEos;

    @Option(
            names = "--ban-eos",
            description = "Never choose an end token, as llama.cpp's --ignore-eos does; up to -n tokens or the end of"
                    + " the context.")
    private boolean banEos;

    @ArgGroup(
            validate = false,
            heading = "%nFurther stages of sampling, as in llama.cpp:%n")
    private ChainOptions chain = new ChainOptions();

    @Mixin
    private DraftingOptions drafting = new DraftingOptions();

    /** The seed in use, chosen once if none was given. */
    long seed() {
        long chosen = seed == null ? ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE) : seed;
        seed = chosen;
        return chosen;
    }

    /**
     * As the library takes them; a number outside its range is a fault of the command line.
     *
     * @param defaultMaxTokens most tokens to generate where the command line does not say
     */
    GenerationOptions toOptions(int defaultMaxTokens) {
        try {
            if (ignoreEos && banEos) {
                throw new IllegalArgumentException("--ignore-eos and --ban-eos exclude each other");
            }
            SamplingOptionsBuilder how = dev.tern.sampling.SamplingOptions.builder()
                    .temperature(temperature)
                    .topK(topK)
                    .topP(topP)
                    .minP(minP)
                    .repeatPenalty(repeatPenalty)
                    .repeatLastN(repeatLastN);
            chain.addTo(how);
            return GenerationOptions.builder()
                    .maxTokens(maxTokens != null ? maxTokens : defaultMaxTokens)
                    .sampling(how.build())
                    .seed(seed())
                    .stop(stop)
                    .endTokens(banEos ? EndTokens.BAN : ignoreEos ? EndTokens.IGNORE : EndTokens.STOP)
                    .draft(drafting.toOptions())
                    .build();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()));
        }
    }
}
