package dev.tern.measure.rivals;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Regular expressions whose named groups are numbers of a run. The last match counts, since engines sum up at the end,
 * when the model has said what it likes.
 *
 * @param patterns over standard output, a line's end, and standard error
 */
record PatternReading(List<Pattern> patterns) implements Reading {
    /** Tokens a second. */
    private static final String PREFILL = "prefill";

    private static final String DECODE = "decode";
    /** Milliseconds a token. */
    private static final String PREFILL_MILLIS = "prefillMillis";

    private static final String DECODE_MILLIS = "decodeMillis";
    /** Tokens that the engine says it handled. */
    private static final String PROMPT_TOKENS = "promptTokens";

    private static final String GENERATED_TOKENS = "generatedTokens";

    static final Set<String> GROUPS = new TreeSet<>(
            Set.of(PREFILL, DECODE, PREFILL_MILLIS, DECODE_MILLIS, PROMPT_TOKENS, GENERATED_TOKENS));

    PatternReading {
        patterns = List.copyOf(patterns);
    }

    @Override
    public boolean readsPrefill() {
        return has(PREFILL) || has(PREFILL_MILLIS);
    }

    @Override
    public boolean readsDecode() {
        return has(DECODE) || has(DECODE_MILLIS);
    }

    private boolean has(String group) {
        return patterns.stream().anyMatch(pattern -> pattern.namedGroups().containsKey(group));
    }

    @Override
    public Rates read(ProcessOutput output, int prompt, int generated, int threads) throws RivalFailure {
        Map<String, String> found = new HashMap<>();
        String text = ProcessOutput.printable(output.out() + "\n" + output.err());
        for (Pattern pattern : patterns) {
            if (!lastMatch(pattern, text, found)) {
                String tail = output.tail();
                throw new RivalFailure("nothing in its output matches " + pattern
                        + (tail.isEmpty() ? ", it printed nothing" : "; its last words: " + tail));
            }
        }
        List<String> remarks = new ArrayList<>();
        OptionalDouble prefill = OptionalDouble.empty();
        OptionalDouble decode = OptionalDouble.empty();
        if (readsPrefill() && prompt > 0) {
            prefill = rate(found, PREFILL, PREFILL_MILLIS);
            count(found.get(PROMPT_TOKENS), prompt, "prompt", remarks);
        }
        if (readsDecode() && generated > 0) {
            decode = rate(found, DECODE, DECODE_MILLIS);
            count(found.get(GENERATED_TOKENS), generated, "generation", remarks);
        }
        return new Rates(prefill, decode, "", remarks);
    }

    private static boolean lastMatch(Pattern pattern, String text, Map<String, String> found) {
        Map<String, String> last = new HashMap<>();
        for (Matcher matcher = pattern.matcher(text); matcher.find(); ) {
            last.clear();
            for (String group : pattern.namedGroups().keySet()) {
                String value = matcher.group(group);
                if (value != null) {
                    last.put(group, value);
                }
            }
        }
        found.putAll(last);
        return !last.isEmpty();
    }

    private static OptionalDouble rate(Map<String, String> found, String rate, String millis) throws RivalFailure {
        String value = found.get(rate);
        if (value != null) {
            return Numbers.rate(Numbers.decimal(value), rate + " '" + value + "'");
        }
        String time = found.get(millis);
        return time == null
                ? OptionalDouble.empty()
                : Numbers.rate(1e3 / Numbers.decimal(time), millis + " '" + time + "'");
    }

    /**
     * A prompt in words is never exactly so many tokens, and tokens a second do not depend on a few; but an engine that
     * stopped at once, or was given another text, measured something else.
     */
    private static void count(@Nullable String said, int asked, String what, List<String> remarks) throws RivalFailure {
        if (said == null) {
            return;
        }
        double tokens = Numbers.decimal(said);
        if (!(Math.abs(tokens - asked) <= asked / 4.0)) {
            throw new RivalFailure("its " + what + " was " + said + " tokens instead of " + asked);
        }
        if (tokens != asked) {
            remarks.add("its " + what + " was " + said + " tokens instead of " + asked);
        }
    }
}
