package dev.tern.bench;

import dev.tern.kernels.Tier;
import dev.tern.measure.MachineLimits;
import dev.tern.measure.MachineLimits.Peak;
import dev.tern.measure.MachineLimits.Read;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the machine can do at most, as {@link Run} measured it before the first benchmark and handed it to every fork in
 * a system property. Where it was not measured, or not for so many threads, it is not a number, and neither are shares
 * of it.
 */
public final class Limits {
    /** {@link MachineLimits} as JSON in Base64, since JMH splits the arguments of forks at quotes and spaces. */
    static final String PROPERTY = "tern.bench.limits";

    /** What the property says where nothing is to be measured. */
    static final String OFF = "off";

    private final MachineLimits measured;

    Limits(MachineLimits measured) {
        this.measured = measured;
    }

    /** Those that this process was told. */
    public static Limits ofThisProcess() {
        return new Limits(parse(System.getProperty(PROPERTY)));
    }

    static MachineLimits parse(@Nullable String property) {
        if (property == null || property.equals(OFF)) {
            return new MachineLimits(List.of(), List.of());
        }
        try {
            return JsonMapper.shared().readValue(Base64.getDecoder().decode(property), MachineLimits.class);
        } catch (JacksonException | IllegalArgumentException e) {
            throw new IllegalArgumentException(PROPERTY + " is neither " + OFF + " nor MachineLimits in Base64", e);
        }
    }

    static String format(MachineLimits limits) {
        return Base64.getEncoder().encodeToString(JsonMapper.shared().writeValueAsBytes(limits));
    }

    /** Bytes a second that so many threads read from memory, in the pages that are read faster. */
    public double readBytes(int threads) {
        return measured.reads().stream()
                .filter(read -> read.threads() == threads)
                .max(Comparator.comparingDouble(Read::gigabytesPerSecond))
                .map(read -> read.gigabytesPerSecond() * 1e9)
                .orElse(Double.NaN);
    }

    /** Multiplications and additions of 8-bit integers, each counted, that a tier's units do in a second. */
    public double integerOperations(Tier tier, int threads) {
        return measured.peaks().stream()
                .filter(peak -> peak.threads() == threads && peak.tier().equals(tier.label()))
                .findFirst()
                .map(Peak::gigaOperationsPerSecond)
                .map(giga -> giga * 1e9)
                .orElse(Double.NaN);
    }
}
