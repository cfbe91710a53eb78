package dev.tern.server;

import dev.tern.server.anthropic.MessagesEndpoint;
import dev.tern.server.api.Endpoint;
import dev.tern.server.api.Route;
import dev.tern.server.embedding.EmbeddingsEndpoint;
import dev.tern.server.llama.ApplyTemplateEndpoint;
import dev.tern.server.llama.CompletionEndpoint;
import dev.tern.server.llama.DetokenizeEndpoint;
import dev.tern.server.llama.HealthEndpoint;
import dev.tern.server.llama.MetricsEndpoint;
import dev.tern.server.llama.NotSupportedEndpoint;
import dev.tern.server.llama.PropsEndpoint;
import dev.tern.server.llama.SlotFilesEndpoint;
import dev.tern.server.llama.SlotsEndpoint;
import dev.tern.server.llama.TokenizeEndpoint;
import dev.tern.server.openai.ChatEndpoint;
import dev.tern.server.openai.ModelsEndpoint;
import dev.tern.server.openai.ResponsesEndpoint;
import dev.tern.server.openai.TextCompletionEndpoint;
import dev.tern.server.page.PageEndpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** All paths, and what answers them. */
final class Endpoints {
    private final List<Route> routes = new ArrayList<>();

    private Endpoints() {}

    static List<Route> routes(ServerOptions options) {
        Endpoints endpoints = new Endpoints();
        endpoints.addAll(options);
        endpoints.addNotSupported();
        return endpoints.routes;
    }

    private void addAll(ServerOptions options) {
        Endpoint health = new HealthEndpoint();
        add(Route.open("/health", health));
        add(Route.open("/v1/health", health));
        Endpoint completion = new CompletionEndpoint();
        add(Route.post("/completion", completion));
        add(Route.post("/completions", completion));
        add(Route.post("/v1/completions", new TextCompletionEndpoint()));
        Endpoint chat = new ChatEndpoint();
        add(Route.post("/v1/chat/completions", chat));
        add(Route.post("/chat/completions", chat));
        add(Route.post("/v1/chat/completions/input_tokens", ChatEndpoint::count));
        add(Route.post("/apply-template", new ApplyTemplateEndpoint()));
        add(Route.anthropic("/v1/messages", new MessagesEndpoint()));
        add(Route.anthropic("/v1/messages/count_tokens", MessagesEndpoint::count));
        add(Route.post("/v1/responses", new ResponsesEndpoint()));
        add(Route.post("/v1/responses/input_tokens", ResponsesEndpoint::count));
        Endpoint models = new ModelsEndpoint();
        add(Route.get("/v1/models", models));
        add(Route.get("/models", models));
        add(Route.get(ModelsEndpoint.ONE, models));
        add(Route.post("/tokenize", new TokenizeEndpoint()));
        add(Route.post("/detokenize", new DetokenizeEndpoint()));
        add(new Route("/props", false, false, Map.of("GET", new PropsEndpoint(), "POST", PropsEndpoint::change)));
        add(Route.get(
                "/slots",
                options.slots()
                        ? new SlotsEndpoint()
                        : new NotSupportedEndpoint("the server keeps its slots to itself")));
        add(Route.post(SlotFilesEndpoint.PREFIX, new SlotFilesEndpoint()));
        add(Route.get("/metrics", new MetricsEndpoint()));
        add(Route.post("/v1/embeddings", new EmbeddingsEndpoint(true)));
        Endpoint embeddings = new EmbeddingsEndpoint(false);
        add(Route.post("/embeddings", embeddings));
        add(Route.post("/embedding", embeddings));
        PageEndpoint.all().forEach((path, file) -> add(Route.open(path, file)));
    }

    /** What llama-server has and this server has not, so that its clients are told why. */
    private void addNotSupported() {
        Endpoint infill = new NotSupportedEndpoint("the model does not fill in the middle of a text");
        add(Route.post("/infill", infill));
        Endpoint rerank = new NotSupportedEndpoint("the model does not rank documents");
        for (String path : new String[] {"/rerank", "/reranking", "/v1/rerank", "/v1/reranking"}) {
            add(Route.post(path, rerank));
        }
        Endpoint adapters = new NotSupportedEndpoint("the server has no adapters");
        add(new Route("/lora-adapters", false, false, Map.of("GET", adapters, "POST", adapters)));
        Endpoint router = new NotSupportedEndpoint("the server has one model, which it was started with");
        add(Route.post("/models/load", router));
        add(Route.post("/models/unload", router));
        add(Route.get("/models/sse", router));
        add(Route.post("/v1/systemone", new NotSupportedEndpoint("the model is no decision model")));
        Endpoint tools =
                new NotSupportedEndpoint("the server runs no tools: a client calls those that a model asks for");
        add(new Route("/tools", false, false, Map.of("GET", tools, "POST", tools)));
        Endpoint sound = new NotSupportedEndpoint("the model reads and writes text alone");
        for (String path : new String[] {"/v1/audio/transcriptions", "/v1/audio/speech", "/v1/images/generations"}) {
            add(Route.post(path, sound));
        }
    }

    private void add(Route route) {
        routes.add(route);
    }
}
