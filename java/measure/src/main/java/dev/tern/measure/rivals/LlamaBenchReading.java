package dev.tern.measure.rivals;

import java.util.List;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The array that llama-bench prints with {@code -o json}: one object a test, of which {@code n_prompt}, {@code n_gen},
 * {@code n_depth}, {@code n_threads} and {@code avg_ts} are read, {@code gpu_info} with {@code n_gpu_layers}, and
 * {@code build_commit} with {@code build_number} for the version. {@code tern bench} prints the same.
 */
record LlamaBenchReading() implements Reading {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS) // an engine may log after it, too
            .build();
    private static final Pattern ARRAY = Pattern.compile("^\\[\\s*\\{", Pattern.MULTILINE);

    @Override
    public boolean readsPrefill() {
        return true;
    }

    @Override
    public boolean readsDecode() {
        return true;
    }

    @Override
    public Rates read(ProcessOutput output, int prompt, int generated, int threads) throws RivalFailure {
        JsonNode tests = tests(output);
        OptionalDouble prefill = prompt == 0 ? OptionalDouble.empty() : rate(tests, prompt, 0, threads);
        OptionalDouble decode = generated == 0 ? OptionalDouble.empty() : rate(tests, 0, generated, threads);
        return new Rates(prefill, decode, version(tests.path(0)), List.of());
    }

    /** The array, around which the engine may have logged. */
    private static JsonNode tests(ProcessOutput output) throws RivalFailure {
        for (Matcher array = ARRAY.matcher(output.out()); array.find(); ) {
            try {
                JsonNode tests = MAPPER.readTree(output.out().substring(array.start()));
                if (tests.path(0).has("avg_ts")) {
                    return tests;
                }
            } catch (JacksonException breaksOff) {
                // looks like the array and is none: if no other one follows, there is no result
            }
        }
        String tail = output.tail();
        throw new RivalFailure(
                "it printed no JSON array of llama-bench" + (tail.isEmpty() ? "" : "; its last words: " + tail));
    }

    private static OptionalDouble rate(JsonNode tests, int prompt, int generated, int threads) throws RivalFailure {
        for (JsonNode test : tests) {
            if (test.path("n_prompt").asInt(-1) != prompt
                    || test.path("n_gen").asInt(-1) != generated
                    || test.path("n_depth").asInt(0) != 0) {
                continue;
            }
            int used = test.path("n_threads").asInt(threads);
            if (used != threads) {
                throw new RivalFailure("it computed with " + used + " threads instead of " + threads
                        + "; pass it -t {threads}");
            }
            String gpu = test.path("gpu_info").asString("");
            if (!gpu.isEmpty() && test.path("n_gpu_layers").asInt(0) > 0) {
                throw new RivalFailure("it computed on " + ProcessOutput.printable(gpu) + "; pass it -ngl 0");
            }
            return Numbers.rate(test.path("avg_ts").asDouble(Double.NaN), "avg_ts");
        }
        return OptionalDouble.empty();
    }

    private static String version(JsonNode test) {
        String commit = test.path("build_commit").asString("");
        if (commit.isEmpty() || commit.equals("unknown")) {
            return "";
        }
        int number = test.path("build_number").asInt(0);
        return number == 0 ? commit : commit + " (" + number + ")";
    }
}
