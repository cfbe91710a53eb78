package dev.tern.measure.rivals;

/** How the speed is read from what an engine prints. */
sealed interface Reading permits LlamaBenchReading, PatternReading {

    /** Whether its output tells the speed of a prompt. */
    boolean readsPrefill();

    /** Whether its output tells the speed of generation. */
    boolean readsDecode();

    /**
     * The rates of those tests that were asked for and that this output tells.
     *
     * @throws RivalFailure where they are not in it, or something else was measured
     */
    Rates read(ProcessOutput output, int prompt, int generated, int threads) throws RivalFailure;
}
