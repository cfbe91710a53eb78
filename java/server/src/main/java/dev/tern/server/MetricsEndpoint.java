package dev.tern.server;

import dev.tern.server.http.Headers;
import dev.tern.server.slots.Completions;
import dev.tern.server.slots.SlotState;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** {@code GET /metrics}: llama-server's counters and gauges, in Prometheus's text format 0.0.4. */
final class MetricsEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException {
        if (!call.options().metrics()) {
            throw ApiException.notSupported("the server keeps its metrics to itself: start it with --metrics");
        }
        Counters.Values values = call.counters().values();
        Completions completions = call.served().completions();
        double promptSeconds = values.promptNanos() * 1e-9;
        double generationSeconds = values.generationNanos() * 1e-9;
        Text text = new Text();
        text.counter("prompt_tokens_total", "Tokens of prompts that were computed.", values.promptTokens());
        text.counter("prompt_seconds_total", "Time of prompts, in seconds.", promptSeconds);
        text.counter("tokens_predicted_total", "Tokens generated.", values.generatedTokens());
        text.counter("tokens_predicted_seconds_total", "Time of generation, in seconds.", generationSeconds);
        text.counter("n_tokens_max", "Most tokens that a context has held.", values.longest());
        text.counter("spec_decode_num_draft_tokens_total", "Tokens guessed ahead.", values.draftedTokens());
        text.counter("spec_decode_num_accepted_tokens_total", "Those guessed right.", values.acceptedTokens());
        text.gauge(
                "prompt_tokens_seconds",
                "Tokens of prompts a second, on average.",
                ratio(values.promptTokens(), promptSeconds));
        text.gauge(
                "predicted_tokens_seconds",
                "Tokens generated a second, on average.",
                ratio(values.generatedTokens(), generationSeconds));
        text.gauge(
                "requests_processing",
                "Slots at work.",
                completions.slots().stream().filter(SlotState::busy).count());
        text.gauge("requests_deferred", "Requests that wait for a slot.", completions.waiting());
        call.respond(200, "text/plain; version=0.0.4; charset=utf-8", text.bytes(), new Headers());
    }

    private static double ratio(double numerator, double denominator) {
        return denominator > 0 ? numerator / denominator : 0;
    }

    private static final class Text {
        private final StringBuilder text = new StringBuilder();

        void counter(String name, String help, double value) {
            add(name, "counter", help, value);
        }

        void gauge(String name, String help, double value) {
            add(name, "gauge", help, value);
        }

        private void add(String name, String type, String help, double value) {
            String full = "llamacpp:" + name;
            text.append("# HELP ").append(full).append(' ').append(help).append('\n');
            text.append("# TYPE ").append(full).append(' ').append(type).append('\n');
            text.append(full).append(' ').append(number(value)).append('\n');
        }

        private static String number(double value) {
            return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
        }

        byte[] bytes() {
            return text.toString().getBytes(StandardCharsets.UTF_8);
        }
    }
}
