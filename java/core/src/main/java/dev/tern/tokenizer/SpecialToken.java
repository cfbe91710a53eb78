package dev.tern.tokenizer;

import org.jspecify.annotations.Nullable;

/** The parts that tokens play, with their names in Hugging Face's configuration files and in GGUF. */
public enum SpecialToken {
    BOS("bos", "tokenizer.ggml.bos_token_id"),
    EOS("eos", "tokenizer.ggml.eos_token_id"),
    UNKNOWN("unk", "tokenizer.ggml.unknown_token_id"),
    /** llama.cpp spells the key like this. */
    SEPARATOR("sep", "tokenizer.ggml.seperator_token_id"),
    PADDING("pad", "tokenizer.ggml.padding_token_id"),
    MASK("mask", "tokenizer.ggml.mask_token_id"),
    /** End of a turn in a chat. No file of a checkpoint names it: it is known by its text. */
    END_OF_TURN(null, "tokenizer.ggml.eot_token_id"),
    /** End of a message that expects a tool's answer. Known by its text. */
    END_OF_MESSAGE(null, "tokenizer.ggml.eom_token_id");

    private final @Nullable String stem;
    private final String ggufKey;

    SpecialToken(@Nullable String stem, String ggufKey) {
        this.stem = stem;
        this.ggufKey = ggufKey;
    }

    /** {@code bos_token} in tokenizer_config.json and special_tokens_map.json, or null where those do not name it. */
    @Nullable String configName() {
        return stem == null ? null : stem + "_token";
    }

    /** {@code bos_token_id} in config.json and generation_config.json, or null where those do not name it. */
    @Nullable String configIdName() {
        return stem == null ? null : stem + "_token_id";
    }

    /** The metadata key in GGUF files. */
    public String ggufKey() {
        return ggufKey;
    }
}
