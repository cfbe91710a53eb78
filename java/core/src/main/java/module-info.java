/** Tern: read, convert, verify and run ternary language models. */
module dev.tern.core {
    requires transitive dev.tern.codegen;
    requires dev.tern.kernels;
    requires java.net.http;
    requires tools.jackson.databind;
    requires static org.jspecify;

    exports dev.tern;
    exports dev.tern.checkpoint;
    exports dev.tern.convert;
    exports dev.tern.gguf;
    exports dev.tern.grammar;
    exports dev.tern.inspect;
    exports dev.tern.io;
    exports dev.tern.lut;
    exports dev.tern.model;
    exports dev.tern.safetensors;
    exports dev.tern.sampling;
    exports dev.tern.source;
    exports dev.tern.template;
    exports dev.tern.ternary;
    exports dev.tern.tokenizer;
    exports dev.tern.tools;
    exports dev.tern.tune;
}
