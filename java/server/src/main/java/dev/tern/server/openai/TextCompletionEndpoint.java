package dev.tern.server.openai;

import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.api.EndpointOptions;
import dev.tern.server.api.EventStream;
import dev.tern.server.completion.Choice;
import dev.tern.server.completion.CompletionBody;
import dev.tern.server.completion.CompletionRun;
import dev.tern.server.completion.Ids;
import dev.tern.server.completion.ProbabilitiesJson;
import dev.tern.server.completion.StreamedRun;
import dev.tern.server.completion.TimingsJson;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import dev.tern.server.served.Served;
import dev.tern.server.slots.CompletionEvent;
import java.io.IOException;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** OpenAI's {@code POST /v1/completions}, with llama-server's fields beside. */
public final class TextCompletionEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException, InterruptedException {
        Fields body = call.body();
        if (!body.text("suffix").orElse("").isEmpty()) {
            throw ApiException.notSupported("suffix: the model does not fill in the middle of a text");
        }
        int perPrompt = body.integer("n", 1, call.options().maxChoices()).orElse(1);
        if (body.integer("best_of", 1, Integer.MAX_VALUE).orElse(perPrompt) > perPrompt) {
            throw ApiException.notSupported("best_of: only as many completions as n are made");
        }
        CompletionBody request = CompletionBody.read(call, body, "n");
        boolean echo = body.flag("echo", false);
        CompletionRun run = new CompletionRun(call, request.requests());
        Answer answer = new Answer(call.served(), call.options(), request, echo);
        if (request.stream()) {
            StreamedRun.run(call, run, request, answer.stream(run, request.usage()));
        } else if (run.run(request.pings(), (choice, event) -> {})) {
            call.json(answer.whole(run));
        }
    }

    private static final class Answer {
        private final Served served;
        private final EndpointOptions options;
        private final CompletionBody request;
        private final boolean echo;
        private final String id = Ids.next("cmpl-");
        private final long created = System.currentTimeMillis() / 1000;

        Answer(Served served, EndpointOptions options, CompletionBody request, boolean echo) {
            this.served = served;
            this.options = options;
            this.request = request;
            this.echo = echo;
        }

        private ObjectNode shell() {
            return Json.object()
                    .put("id", id)
                    .put("object", "text_completion")
                    .put("created", created)
                    .put("model", served.id())
                    .put("system_fingerprint", options.buildInfo());
        }

        private String echoed(Choice choice) {
            return echo ? served.tokenizer().decode(choice.prompt(), true) : "";
        }

        ObjectNode whole(CompletionRun run) {
            ObjectNode node = shell();
            ArrayNode choices = node.putArray("choices");
            for (Choice choice : run.choices()) {
                String before = echoed(choice);
                ObjectNode one = choices.addObject();
                one.put("text", before + choice.text());
                one.put("index", choice.index());
                if (choice.probabilities().isEmpty()) {
                    one.putNull("logprobs");
                } else {
                    one.set(
                            "logprobs",
                            new ProbabilitiesJson(served.tokenizer()).ofText(choice.probabilities(), before.length()));
                }
                one.put("finish_reason", choice.finishReason());
            }
            node.set("usage", TimingsJson.usage(run.choices()));
            node.set("timings", TimingsJson.timings(run.choices().getFirst().timings()));
            return node;
        }

        StreamedRun.Format stream(CompletionRun run, boolean usage) {
            return new StreamedRun.Format() {
                @Override
                public void happened(EventStream stream, Choice choice, CompletionEvent event) throws IOException {
                    switch (event) {
                        case CompletionEvent.Started started -> {
                            if (echo) {
                                stream.send(part(choice, echoed(choice)));
                            }
                        }
                        case CompletionEvent.Prefilled prefilled -> {
                            ObjectNode node = part(choice, "");
                            node.set("prompt_progress", StreamedRun.progress(choice, prefilled));
                            stream.send(node);
                        }
                        case CompletionEvent.Generated generated -> {
                            ObjectNode node = part(choice, generated.text());
                            if (!generated.probabilities().isEmpty()) {
                                ((ObjectNode) node.path("choices").path(0))
                                        .set(
                                                "logprobs",
                                                new ProbabilitiesJson(served.tokenizer())
                                                        .ofText(List.of(generated.probabilities()), 0));
                            }
                            if (request.timingsPerToken()) {
                                node.set("timings", TimingsJson.timings(choice.timings()));
                            }
                            stream.send(node);
                        }
                        case CompletionEvent.Ended ended -> {
                            ObjectNode node = part(choice, ended.text());
                            ((ObjectNode) node.path("choices").path(0))
                                    .put("finish_reason", choice.finishReason());
                            node.set("timings", TimingsJson.timings(choice.timings()));
                            stream.send(node);
                        }
                        case CompletionEvent.Failed failed -> {}
                    }
                }

                private ObjectNode part(Choice choice, String text) {
                    ObjectNode node = shell();
                    node.putArray("choices")
                            .addObject()
                            .put("text", text)
                            .put("index", choice.index())
                            .putNull("logprobs")
                            .putNull("finish_reason");
                    if (usage) {
                        node.putNull("usage");
                    }
                    return node;
                }

                @Override
                public void end(EventStream stream) throws IOException {
                    if (usage) {
                        ObjectNode node = shell();
                        node.putArray("choices");
                        node.set("usage", TimingsJson.usage(run.choices()));
                        node.set("timings", TimingsJson.timings(run.choices().getFirst().timings()));
                        stream.send(node);
                    }
                    stream.done();
                }
            };
        }
    }
}
