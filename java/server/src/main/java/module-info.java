/** Serves a model over HTTP, as llama-server and OpenAI do. */
module dev.tern.server {
    requires transitive dev.tern.core;
    requires tools.jackson.databind;
    requires static org.jspecify;

    exports dev.tern.server;
    exports dev.tern.server.slots;
}
