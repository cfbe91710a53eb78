package dev.tern.sampling;

/** A stage of the chain as it works: it drops candidates or changes their logits. Has the state of one sequence. */
sealed interface Stage
        permits DryStage,
                DynamicTemperatureStage,
                GreedyStage,
                MinPStage,
                PenaltyStage,
                TemperatureStage,
                TopKStage,
                TopNSigmaStage,
                TopPStage,
                TypicalPStage,
                XtcStage {

    /** Leaves at least one candidate of those there are. */
    void apply(Candidates candidates);

    /** A token stands in the sequence. */
    default void accept(int id) {}
}
