package dev.tern.sampling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The chain of a sampler as its documentation says it, on sorted lists of boxed doubles, without regard for time: what
 * {@link Sampler} is compared with.
 */
final class PlainChain {
    /** Probabilities below are not compared: the sampler tells their logarithms as floats. */
    static final double LEAST = 1e-9;

    private final SamplingOptions options;
    private final SplitMix random;
    private final List<Integer> history = new ArrayList<>();
    private final List<Integer> breakers;

    record Entry(int id, double logit) {}

    /** @param breakers tokens over which no repetition reaches */
    PlainChain(SamplingOptions options, long seed, List<Integer> breakers) {
        this.options = options;
        this.random = new SplitMix(seed);
        this.breakers = breakers;
    }

    void accept(int id) {
        history.add(id);
    }

    /** What is left at the end, with its probability. Draws as many random numbers as the sampler does. */
    Map<Integer, Double> distribution(float[] logits) {
        List<Entry> left = new ArrayList<>();
        for (int id = 0; id < logits.length; id++) {
            left.add(new Entry(id, logits[id] + options.logitBias().getOrDefault(id, 0f)));
        }
        boolean greedy = false;
        for (SamplerStage stage : options.samplers()) {
            left.sort(Comparator.comparingDouble((Entry entry) -> -entry.logit).thenComparing(Entry::id));
            left = switch (stage) {
                case PENALTIES -> penalized(left);
                case DRY -> dry(left);
                case TOP_N_SIGMA -> topNSigma(left);
                case TOP_K -> options.truncation().topK() == 0 ? left : first(left, options.truncation().topK());
                case TYPICAL_P -> typical(left);
                case TOP_P -> topP(left);
                case MIN_P -> minP(left);
                case XTC -> greedy ? left : xtc(left); // behind a temperature of 0 there is one left
                case TEMPERATURE -> heated(left);
            };
            greedy |= stage == SamplerStage.TEMPERATURE && options.temperature().isGreedy();
        }
        if (!greedy) {
            random.nextDouble();
        }
        List<Double> p = softmax(left);
        Map<Integer, Double> result = new TreeMap<>();
        for (int i = 0; i < left.size(); i++) {
            if (p.get(i) > LEAST) {
                result.put(left.get(i).id, p.get(i));
            }
        }
        return result;
    }

    private static List<Double> softmax(List<Entry> entries) {
        double max = entries.stream().mapToDouble(Entry::logit).max().orElseThrow();
        List<Double> weights = entries.stream().map(entry -> StrictMath.exp(entry.logit - max)).toList();
        double sum = weights.stream().mapToDouble(w -> w).sum();
        return weights.stream().map(w -> w / sum).toList();
    }

    private static <T> List<T> first(List<T> list, int count) {
        return new ArrayList<>(list.subList(0, Math.min(count, list.size())));
    }

    private List<Integer> recent(int lastN) {
        return lastN < 0 ? history : history.subList(Math.max(0, history.size() - lastN), history.size());
    }

    private List<Entry> penalized(List<Entry> entries) {
        Penalties penalties = options.penalties();
        List<Integer> recent = recent(penalties.lastN());
        return entries.stream()
                .map(entry -> {
                    int count = Collections.frequency(recent, entry.id);
                    if (count == 0) {
                        return entry;
                    }
                    double logit = entry.logit > 0 ? entry.logit / penalties.repeat() : entry.logit * penalties.repeat();
                    return new Entry(entry.id, logit - count * penalties.frequency() - penalties.presence());
                })
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private List<Entry> dry(List<Entry> entries) {
        Dry dry = options.dry();
        List<Integer> text = recent(dry.lastN());
        int behind = 0; // the last breaker
        while (behind < text.size() && !breakers.contains(text.get(text.size() - 1 - behind))) {
            behind++;
        }
        int limit = behind;
        if (dry.multiplier() == 0 || text.size() <= dry.allowedLength() || limit < dry.allowedLength()) {
            return entries;
        }
        return entries.stream()
                .map(entry -> {
                    int longest = -1;
                    for (int at = 1; at < text.size(); at++) {
                        if (text.get(at) == entry.id && !breakers.contains(entry.id)) {
                            int same = 0;
                            while (same < at && text.get(at - 1 - same).equals(text.get(text.size() - 1 - same))) {
                                same++;
                            }
                            longest = Math.max(longest, Math.min(same, limit));
                        }
                    }
                    return longest < dry.allowedLength()
                            ? entry
                            : new Entry(
                                    entry.id,
                                    entry.logit
                                            - dry.multiplier() * StrictMath.pow(dry.base(), longest - dry.allowedLength()));
                })
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private List<Entry> topNSigma(List<Entry> entries) {
        double n = options.truncation().topNSigma();
        double[] logits = entries.stream().mapToDouble(Entry::logit).filter(Double::isFinite).toArray();
        double mean = Arrays.stream(logits).average().orElseThrow();
        double variance =
                Arrays.stream(logits).map(x -> (x - mean) * (x - mean)).average().orElseThrow();
        double least = entries.getFirst().logit - n * Math.sqrt(variance);
        return n <= 0 ? entries : entries.stream().filter(entry -> entry.logit >= least).collect(Collectors.toList());
    }

    private List<Entry> typical(List<Entry> entries) {
        double p = options.truncation().typicalP();
        if (p == 1) {
            return entries;
        }
        List<Double> shares = softmax(entries);
        double entropy = shares.stream().mapToDouble(s -> s == 0 ? 0 : -s * StrictMath.log(s)).sum();
        Map<Integer, Double> share = new TreeMap<>();
        for (int i = 0; i < entries.size(); i++) {
            share.put(entries.get(i).id, shares.get(i));
        }
        // Rounded, so that what is equally far in exact arithmetic is so here too.
        List<Entry> nearest = entries.stream()
                .sorted(Comparator.comparingDouble((Entry entry) -> Math.rint(
                                Math.abs(-StrictMath.log(share.get(entry.id)) - entropy) * 1e9))
                        .thenComparing(Entry::id))
                .toList();
        double sum = 0;
        int count = 0;
        while (count < nearest.size() && (sum <= p || count < options.truncation().minKeep())) {
            sum += share.get(nearest.get(count++).id);
        }
        return first(nearest, count);
    }

    private List<Entry> topP(List<Entry> entries) {
        double sum = 0;
        int count = 0;
        List<Double> p = softmax(entries);
        while (count < entries.size() && (sum < options.truncation().topP() || count < options.truncation().minKeep())) {
            sum += p.get(count++);
        }
        return options.truncation().topP() == 1 ? entries : first(entries, count);
    }

    private List<Entry> minP(List<Entry> entries) {
        List<Double> p = softmax(entries);
        int count = 0;
        while (count < entries.size()
                && (p.get(count) >= options.truncation().minP() * p.getFirst() || count < options.truncation().minKeep())) {
            count++;
        }
        return options.truncation().minP() == 0 ? entries : first(entries, count);
    }

    private List<Entry> xtc(List<Entry> entries) {
        Xtc xtc = options.xtc();
        if (!xtc.active() || entries.size() < 2 || random.nextDouble() >= xtc.probability()) {
            return entries;
        }
        List<Double> p = softmax(entries);
        int last = 0;
        while (last + 1 < entries.size() && p.get(last + 1) >= xtc.threshold() && p.get(last + 1) > 0) {
            last++;
        }
        return entries.size() - last >= options.truncation().minKeep()
                ? new ArrayList<>(entries.subList(last, entries.size()))
                : entries;
    }

    private List<Entry> heated(List<Entry> entries) {
        Temperature temperature = options.temperature();
        double value = temperature.value();
        if (temperature.range() > 0) {
            List<Double> p =
                    softmax(entries.stream().filter(entry -> Double.isFinite(entry.logit)).toList());
            if (p.size() < 2) {
                return entries;
            }
            double entropy = p.stream().mapToDouble(s -> s == 0 ? 0 : -s * StrictMath.log(s)).sum();
            double low = Math.max(0, value - temperature.range());
            double high = value + temperature.range();
            value = low + (high - low) * StrictMath.pow(entropy / StrictMath.log(p.size()), temperature.exponent());
        }
        if (value == 0) {
            return first(entries, 1);
        }
        double divisor = value;
        return entries.stream()
                .map(entry -> new Entry(entry.id, entry.logit / divisor))
                .collect(Collectors.toCollection(ArrayList::new));
    }
}
