package dev.tern.measure.formats;

import dev.tern.io.InputException;
import dev.tern.measure.BenchTest;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What {@code tern bench -o json} printed.
 *
 * @param backend who computed, as bench names it
 * @param loadNanos from the start of the load to a model that can be asked, the process's first
 * @param firstTokenNanos from the process's start to its first token, empty where the system does not tell
 * @param peakBytes most memory that was resident, empty where the system does not tell
 * @param weightBytesPerToken of weights that a decoded token reads
 * @param tests in the order in which they ran
 */
record BenchOutput(
        String backend,
        long loadNanos,
        OptionalLong firstTokenNanos,
        OptionalLong peakBytes,
        long weightBytesPerToken,
        List<Test> tests) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /**
     * @param tokensPerSecond a sample each repetition
     */
    record Test(BenchTest test, int threads, List<Double> tokensPerSecond) {}

    /** Whether the ternary products were looked up in tables. */
    boolean looksUp() {
        return backend.contains("lut");
    }

    BenchOutput {
        tests = List.copyOf(tests);
    }

    /**
     * Reads it.
     *
     * @param where names the process in errors
     * @throws InputException when it is no such output
     */
    static BenchOutput parse(String text, Object where) {
        JsonNode array;
        try {
            array = JSON.readTree(text);
        } catch (JacksonException e) {
            throw InputException.at(where).expected("results in JSON").found(shortened(text)).exception(e);
        }
        if (!array.isArray() || array.isEmpty()) {
            throw InputException.at(where).expected("an array of results").found(shortened(text)).exception();
        }
        List<Test> tests = new ArrayList<>();
        OptionalLong peak = OptionalLong.empty();
        for (JsonNode test : array) {
            List<Double> samples = new ArrayList<>();
            for (JsonNode sample : required(test, "samples_ts", where)) {
                samples.add(sample.asDouble());
            }
            BenchTest work = new BenchTest(
                    required(test, "n_prompt", where).asInt(),
                    required(test, "n_gen", where).asInt(),
                    required(test, "n_depth", where).asInt());
            tests.add(new Test(work, required(test, "n_threads", where).asInt(), List.copyOf(samples)));
            OptionalLong here = optional(test, "peak_rss");
            if (here.isPresent()) {
                peak = OptionalLong.of(Math.max(here.getAsLong(), peak.orElse(0)));
            }
        }
        JsonNode first = array.get(0); // later ones may be of a second load, in a process that is warm
        return new BenchOutput(
                required(first, "backends", where).asString(),
                required(first, "load_ns", where).asLong(),
                optional(first, "process_first_token_ns"),
                peak,
                required(first, "weight_bytes_per_token", where).asLong(),
                tests);
    }

    private static JsonNode required(JsonNode test, String field, Object where) {
        JsonNode value = test.path(field);
        if (value.isMissingNode() || value.isNull()) {
            throw InputException.at(where).key(field).problem("is missing from the results").exception();
        }
        return value;
    }

    private static OptionalLong optional(JsonNode test, String field) {
        JsonNode value = test.path(field);
        return value.isNumber() ? OptionalLong.of(value.asLong()) : OptionalLong.empty();
    }

    private static String shortened(String text) {
        String plain = text.strip();
        return plain.isEmpty() ? "nothing" : plain.length() <= 200 ? plain : plain.substring(0, 200) + " ...";
    }
}
