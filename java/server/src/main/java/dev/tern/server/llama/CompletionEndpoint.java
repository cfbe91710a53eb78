package dev.tern.server.llama;

import dev.tern.GenerationOptions;
import dev.tern.StopReason;
import dev.tern.sampling.TokenProbability;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.api.EventStream;
import dev.tern.server.completion.Choice;
import dev.tern.server.completion.CompletionBody;
import dev.tern.server.completion.CompletionRun;
import dev.tern.server.completion.ProbabilitiesJson;
import dev.tern.server.completion.StreamedRun;
import dev.tern.server.completion.TimingsJson;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import dev.tern.server.served.Served;
import dev.tern.server.slots.CompletionEvent;
import dev.tern.server.slots.CompletionRequest;
import java.io.IOException;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** llama-server's {@code POST /completion}. */
public final class CompletionEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException, InterruptedException {
        Fields body = call.body();
        CompletionBody request = CompletionBody.read(call, body, "n_cmpl");
        CompletionRun run = new CompletionRun(call, request.requests());
        List<String> responseFields = body.texts("response_fields");
        if (!request.stream()) {
            if (run.run(call.options().pingInterval(), (choice, event) -> {})) {
                ArrayNode all = Json.array();
                run.choices()
                        .forEach(choice -> all.add(ResponseFields.select(whole(call, request, choice), responseFields)));
                call.json(all.size() == 1 ? all.get(0) : all);
            }
            return;
        }
        StreamedRun.run(call, run, request, new StreamedRun.Format() {
            @Override
            public void happened(EventStream stream, Choice choice, CompletionEvent event) throws IOException {
                switch (event) {
                    case CompletionEvent.Started started -> {}
                    case CompletionEvent.Prefilled prefilled -> {
                        ObjectNode node = part(choice, "", new int[0]);
                        node.set("prompt_progress", StreamedRun.progress(choice, prefilled));
                        stream.send(node);
                    }
                    case CompletionEvent.Generated generated -> {
                        ObjectNode node = part(choice, generated.text(), new int[] {generated.id()});
                        if (!generated.probabilities().isEmpty()) {
                            node.set(
                                    "completion_probabilities",
                                    probabilities(call.served(), request, List.of(generated.probabilities())));
                        }
                        if (request.timingsPerToken()) {
                            node.set("timings", TimingsJson.timings(choice.timings()));
                        }
                        stream.send(node);
                    }
                    case CompletionEvent.Ended ended -> {
                        if (!ended.text().isEmpty()) {
                            stream.send(part(choice, ended.text(), new int[0]));
                        }
                        ObjectNode last = whole(call, request, choice);
                        last.put("content", "");
                        last.set("tokens", Json.array());
                        last.remove("completion_probabilities"); // they came with their tokens
                        stream.send(ResponseFields.select(last, responseFields));
                    }
                    case CompletionEvent.Failed failed -> {}
                }
            }
        });
    }

    private static ObjectNode part(Choice choice, String text, int[] ids) {
        ObjectNode node = Json.object();
        node.put("index", choice.index());
        node.put("content", text);
        node.set("tokens", Json.array(ids));
        node.put("stop", false);
        node.put("id_slot", choice.slot());
        node.put("tokens_predicted", choice.count());
        node.put("tokens_evaluated", choice.prompt().length);
        return node;
    }

    private static ObjectNode whole(Call call, CompletionBody request, Choice choice) {
        Served served = call.served();
        StopReason reason = choice.reason();
        ObjectNode node = Json.object();
        node.put("index", choice.index());
        node.put("content", choice.text());
        node.set("tokens", request.returnTokens() ? Json.array(choice.ids()) : Json.array());
        node.put("id_slot", choice.slot());
        node.put("stop", true);
        node.put("model", served.id());
        node.put("tokens_predicted", choice.count());
        node.put("tokens_evaluated", choice.prompt().length);
        CompletionRequest asked = request.requests().get(choice.index());
        node.set("generation_settings", settings(served, asked.options()));
        node.put("prompt", served.tokenizer().decode(choice.prompt(), false));
        node.put("has_new_line", choice.text().indexOf('\n') >= 0);
        node.put("truncated", reason == StopReason.CONTEXT_FULL);
        node.put("stop_type", stopType(reason));
        node.put("stopping_word", choice.stoppingWord());
        node.put("tokens_cached", choice.timings().cachedTokens());
        node.set("timings", TimingsJson.timings(choice.timings()));
        if (!choice.probabilities().isEmpty()) {
            node.set("completion_probabilities", probabilities(served, request, choice.probabilities()));
        }
        return node;
    }

    private static ArrayNode probabilities(
            Served served, CompletionBody request, List<List<TokenProbability>> probabilities) {
        boolean after = request.requests().getFirst().options().sampling().probabilities().afterSampling();
        return new ProbabilitiesJson(served.tokenizer()).tokens(probabilities, after);
    }

    private static ObjectNode settings(Served served, GenerationOptions options) {
        ObjectNode settings = GenerationSettings.of(options);
        settings.put("n_ctx", served.contextLength());
        settings.put("model", served.id());
        return settings;
    }

    private static String stopType(StopReason reason) {
        return switch (reason) {
            case END_TOKEN -> "eos";
            case STOP_STRING -> "word";
            case MAX_TOKENS, CONTEXT_FULL -> "limit";
            case CANCELLED -> "none";
        };
    }
}
