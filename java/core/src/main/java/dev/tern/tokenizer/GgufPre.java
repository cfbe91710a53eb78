package dev.tern.tokenizer;

import org.jspecify.annotations.Nullable;

/**
 * llama.cpp's names of pre-tokenizers ({@code tokenizer.ggml.pre}) that mean one of ours; it ties
 * {@code ignore_merges} to the name. The first name of each kind is the one written.
 */
enum GgufPre {
    LLAMA_BPE("llama-bpe", PreTokenizer.LLAMA3, true),
    LLAMA3("llama3", PreTokenizer.LLAMA3, true),
    LLAMA_V3("llama-v3", PreTokenizer.LLAMA3, true),
    FALCON3("falcon3", PreTokenizer.LLAMA3, true),
    FALCON_H1("falcon-h1", PreTokenizer.LLAMA3, true),
    /** bitnet.cpp's and ik_llama.cpp's name for Falcon-E. */
    FALCON_E("falcon_e", PreTokenizer.LLAMA3, true),
    PIXTRAL("pixtral", PreTokenizer.LLAMA3, true),
    LFM2("lfm2", PreTokenizer.LLAMA3, true),
    SMAUG("smaug-bpe", PreTokenizer.LLAMA3, false),
    DBRX("dbrx", PreTokenizer.LLAMA3, false),
    GPT_2("gpt-2", PreTokenizer.GPT2, false),
    PHI_2("phi-2", PreTokenizer.GPT2, false),
    JAIS("jais", PreTokenizer.GPT2, false),
    MPT("mpt", PreTokenizer.MPT, false),
    OLMO("olmo", PreTokenizer.MPT, false),
    SMOLLM("smollm", PreTokenizer.SMOLLM, false),
    STARCODER("starcoder", PreTokenizer.SMOLLM, false),
    REFACT("refact", PreTokenizer.SMOLLM, false),
    CODESHELL("codeshell", PreTokenizer.SMOLLM, false),
    COMMAND_R("command-r", PreTokenizer.COMMAND_R, false),
    QWEN2("qwen2", PreTokenizer.QWEN2, false),
    DEEPSEEK_R1_QWEN("deepseek-r1-qwen", PreTokenizer.QWEN2, false),
    MEGREZ("megrez", PreTokenizer.QWEN2, false),
    STABLELM2("stablelm2", PreTokenizer.STABLELM2, false),
    FALCON("falcon", PreTokenizer.FALCON, false),
    DEEPSEEK_LLM("deepseek-llm", PreTokenizer.DEEPSEEK_LLM, false),
    DEEPSEEK_CODER("deepseek-coder", PreTokenizer.DEEPSEEK_CODER, false),
    DEEPSEEK_V3("deepseek-v3", PreTokenizer.DEEPSEEK_V3, false),
    GPT_4O("gpt-4o", PreTokenizer.GPT4O, false),
    LLAMA4("llama4", PreTokenizer.GPT4O, false),
    TEKKEN("tekken", PreTokenizer.TEKKEN, true);

    /** llama.cpp's name for none of them. */
    static final String DEFAULT = "default";

    final String label;
    final PreTokenizer preTokenizer;
    final boolean ignoreMerges;

    GgufPre(String label, PreTokenizer preTokenizer, boolean ignoreMerges) {
        this.label = label;
        this.preTokenizer = preTokenizer;
        this.ignoreMerges = ignoreMerges;
    }

    static @Nullable GgufPre of(String label) {
        for (GgufPre pre : values()) {
            if (pre.label.equals(label)) {
                return pre;
            }
        }
        return null;
    }

    /** The name to write: of the words with these merges, or else of the words, or else the default's. */
    static String label(PreTokenizer preTokenizer, boolean ignoreMerges) {
        String label = DEFAULT;
        for (GgufPre pre : values()) {
            if (pre.preTokenizer == preTokenizer) {
                if (pre.ignoreMerges == ignoreMerges) {
                    return pre.label;
                }
                label = label.equals(DEFAULT) ? pre.label : label;
            }
        }
        return label;
    }
}
