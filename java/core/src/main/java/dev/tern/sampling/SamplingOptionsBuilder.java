package dev.tern.sampling;

import java.util.List;
import java.util.Map;

/**
 * Builds {@link SamplingOptions}, number by number; each setter's number is described where it ends up. Not
 * thread-safe.
 */
public final class SamplingOptionsBuilder {
    private float temperature = 0.8f;
    private float dynatempRange;
    private float dynatempExponent = 1;
    private int topK = 40;
    private float topP = 0.95f;
    private float minP = 0.05f;
    private float typicalP = 1;
    private float topNSigma = -1;
    private int minKeep;
    private float repeatPenalty = 1;
    private float presencePenalty;
    private float frequencyPenalty;
    private int repeatLastN = 64;
    private float dryMultiplier;
    private float dryBase = 1.75f;
    private int dryAllowedLength = 2;
    private int dryPenaltyLastN = -1;
    private List<String> drySequenceBreakers = Dry.DEFAULT_BREAKERS;
    private float xtcProbability;
    private float xtcThreshold = 0.1f;
    private int mirostat;
    private float mirostatTau = 5;
    private float mirostatEta = 0.1f;
    private Map<Integer, Float> logitBias = Map.of();
    private List<SamplerStage> samplers = SamplerStage.DEFAULT_ORDER;
    private Probabilities probabilities = Probabilities.OFF;

    SamplingOptionsBuilder() {}

    SamplingOptionsBuilder(SamplingOptions from) {
        temperature = from.temperature().value();
        dynatempRange = from.temperature().range();
        dynatempExponent = from.temperature().exponent();
        topK = from.truncation().topK();
        topP = from.truncation().topP();
        minP = from.truncation().minP();
        typicalP = from.truncation().typicalP();
        topNSigma = from.truncation().topNSigma();
        minKeep = from.truncation().minKeep();
        repeatPenalty = from.penalties().repeat();
        presencePenalty = from.penalties().presence();
        frequencyPenalty = from.penalties().frequency();
        repeatLastN = from.penalties().lastN();
        dryMultiplier = from.dry().multiplier();
        dryBase = from.dry().base();
        dryAllowedLength = from.dry().allowedLength();
        dryPenaltyLastN = from.dry().lastN();
        drySequenceBreakers = from.dry().sequenceBreakers();
        xtcProbability = from.xtc().probability();
        xtcThreshold = from.xtc().threshold();
        mirostat = from.mirostat().version();
        mirostatTau = from.mirostat().tau();
        mirostatEta = from.mirostat().eta();
        logitBias = from.logitBias();
        samplers = from.samplers();
        probabilities = from.probabilities();
    }

    /** {@link Temperature#value}; 0.8 by default. */
    public SamplingOptionsBuilder temperature(double value) {
        temperature = (float) value;
        return this;
    }

    /** {@link Temperature#range}; 0 by default. */
    public SamplingOptionsBuilder dynatempRange(double value) {
        dynatempRange = (float) value;
        return this;
    }

    /** {@link Temperature#exponent}; 1 by default. */
    public SamplingOptionsBuilder dynatempExponent(double value) {
        dynatempExponent = (float) value;
        return this;
    }

    /** {@link Truncation#topK}; 40 by default. */
    public SamplingOptionsBuilder topK(int value) {
        topK = value;
        return this;
    }

    /** {@link Truncation#topP}; 0.95 by default. */
    public SamplingOptionsBuilder topP(double value) {
        topP = (float) value;
        return this;
    }

    /** {@link Truncation#minP}; 0.05 by default. */
    public SamplingOptionsBuilder minP(double value) {
        minP = (float) value;
        return this;
    }

    /** {@link Truncation#typicalP}; 1 by default. */
    public SamplingOptionsBuilder typicalP(double value) {
        typicalP = (float) value;
        return this;
    }

    /** {@link Truncation#topNSigma}; -1 by default. */
    public SamplingOptionsBuilder topNSigma(double value) {
        topNSigma = (float) value;
        return this;
    }

    /** {@link Truncation#minKeep}; 0 by default. */
    public SamplingOptionsBuilder minKeep(int value) {
        minKeep = value;
        return this;
    }

    /** {@link Penalties#repeat}; 1 by default. */
    public SamplingOptionsBuilder repeatPenalty(double value) {
        repeatPenalty = (float) value;
        return this;
    }

    /** {@link Penalties#presence}; 0 by default. */
    public SamplingOptionsBuilder presencePenalty(double value) {
        presencePenalty = (float) value;
        return this;
    }

    /** {@link Penalties#frequency}; 0 by default. */
    public SamplingOptionsBuilder frequencyPenalty(double value) {
        frequencyPenalty = (float) value;
        return this;
    }

    /** {@link Penalties#lastN}; 64 by default. */
    public SamplingOptionsBuilder repeatLastN(int value) {
        repeatLastN = value;
        return this;
    }

    /** {@link Dry#multiplier}; 0 by default. */
    public SamplingOptionsBuilder dryMultiplier(double value) {
        dryMultiplier = (float) value;
        return this;
    }

    /** {@link Dry#base}; 1.75 by default. */
    public SamplingOptionsBuilder dryBase(double value) {
        dryBase = (float) value;
        return this;
    }

    /** {@link Dry#allowedLength}; 2 by default. */
    public SamplingOptionsBuilder dryAllowedLength(int value) {
        dryAllowedLength = value;
        return this;
    }

    /** {@link Dry#lastN}; -1 by default. */
    public SamplingOptionsBuilder dryPenaltyLastN(int value) {
        dryPenaltyLastN = value;
        return this;
    }

    /** {@link Dry#sequenceBreakers}; {@link Dry#DEFAULT_BREAKERS} by default. */
    public SamplingOptionsBuilder drySequenceBreakers(List<String> value) {
        drySequenceBreakers = List.copyOf(value);
        return this;
    }

    /** {@link Xtc#probability}; 0 by default. */
    public SamplingOptionsBuilder xtcProbability(double value) {
        xtcProbability = (float) value;
        return this;
    }

    /** {@link Xtc#threshold}; 0.1 by default. */
    public SamplingOptionsBuilder xtcThreshold(double value) {
        xtcThreshold = (float) value;
        return this;
    }

    /** {@link Mirostat#version}; 0 by default. */
    public SamplingOptionsBuilder mirostat(int value) {
        mirostat = value;
        return this;
    }

    /** {@link Mirostat#tau}; 5 by default. */
    public SamplingOptionsBuilder mirostatTau(double value) {
        mirostatTau = (float) value;
        return this;
    }

    /** {@link Mirostat#eta}; 0.1 by default. */
    public SamplingOptionsBuilder mirostatEta(double value) {
        mirostatEta = (float) value;
        return this;
    }

    /** {@link SamplingOptions#logitBias}; none by default. */
    public SamplingOptionsBuilder logitBias(Map<Integer, Float> value) {
        logitBias = Map.copyOf(value);
        return this;
    }

    /** {@link SamplingOptions#samplers}; {@link SamplerStage#DEFAULT_ORDER} by default. */
    public SamplingOptionsBuilder samplers(List<SamplerStage> value) {
        samplers = List.copyOf(value);
        return this;
    }

    /** {@link SamplingOptions#probabilities}; {@link Probabilities#OFF} by default. */
    public SamplingOptionsBuilder probabilities(Probabilities value) {
        probabilities = value;
        return this;
    }

    /** @throws IllegalArgumentException when a number is outside its range; the message names it */
    public SamplingOptions build() {
        return new SamplingOptions(
                new Temperature(temperature, dynatempRange, dynatempExponent),
                new Truncation(topK, topP, minP, typicalP, topNSigma, minKeep),
                new Penalties(repeatPenalty, presencePenalty, frequencyPenalty, repeatLastN),
                new Dry(dryMultiplier, dryBase, dryAllowedLength, dryPenaltyLastN, drySequenceBreakers),
                new Xtc(xtcProbability, xtcThreshold),
                new Mirostat(mirostat, mirostatTau, mirostatEta),
                logitBias,
                samplers,
                probabilities);
    }
}
