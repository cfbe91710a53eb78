package dev.tern.server.llama;

import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.http.Headers;
import dev.tern.server.slots.SlotMetrics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** {@code GET /metrics}: llama-server's counters and gauges, in Prometheus's text format 0.0.4. */
public final class MetricsEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException {
        if (!call.options().metrics()) {
            throw ApiException.notSupported("the server keeps its metrics to itself: start it with --metrics");
        }
        SlotMetrics metrics = call.served().completions().metrics();
        double promptSeconds = metrics.promptNanos() * 1e-9;
        double generationSeconds = metrics.generationNanos() * 1e-9;
        Text text = new Text();
        text.counter("prompt_tokens_total", "Tokens of prompts that were computed.", metrics.promptTokens());
        text.counter("prompt_tokens_cached_total", "Tokens of prompts found in a cache.", metrics.cachedTokens());
        text.counter("prompt_seconds_total", "Time from slot to first token, in seconds.", promptSeconds);
        text.counter("tokens_predicted_total", "Tokens generated.", metrics.generatedTokens());
        text.counter("tokens_predicted_seconds_total", "Time of generation, in seconds.", generationSeconds);
        text.counter("n_decode_total", "Passes over the weights.", metrics.passes());
        text.counter("n_tokens_max", "Most tokens that a slot has held.", metrics.maxTokens());
        text.counter("spec_decode_num_draft_tokens_total", "Tokens guessed ahead.", metrics.draftedTokens());
        text.counter("spec_decode_num_accepted_tokens_total", "Those guessed right.", metrics.acceptedTokens());
        text.counter("requests_completed_total", "Requests that came to their end.", metrics.completed());
        text.counter("requests_cancelled_total", "Requests whose client left.", metrics.cancelled());
        text.counter("requests_failed_total", "Requests that an error ended.", metrics.failed());
        text.counter("requests_refused_total", "Requests that found the queue full.", metrics.refused());
        text.gauge(
                "prompt_tokens_seconds",
                "Tokens of prompts a second, on average.",
                ratio(metrics.promptTokens(), promptSeconds));
        text.gauge(
                "predicted_tokens_seconds",
                "Tokens generated a second, on average.",
                ratio(metrics.generatedTokens(), generationSeconds));
        text.gauge("n_busy_slots_per_decode", "Slots at work in a pass, on average.", metrics.busySlotsPerPass());
        text.gauge("requests_processing", "Requests in slots.", metrics.processing());
        text.gauge("requests_deferred", "Requests that wait for a slot.", metrics.waiting());
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
