package dev.tern.model;

import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import java.util.List;
import java.util.Optional;

/**
 * Reads the numbers of a graph from a GGUF file's metadata, keys {@code <arch>.*} as llama.cpp names them. Refuses what
 * the graphs here do not compute, rather than computing something else.
 */
public final class GgufHyperparameters {
    /** Architectures whose graphs Tern has. */
    public static final List<String> ARCHITECTURES = List.of("bitnet-b1.58", "bitnet-25", "bitnet", "llama");

    private static final int MAX_WIDTH = 1 << 20;
    private static final int MAX_COUNT = 1 << 14;

    private final GgufFile file;
    private final String architecture;

    private GgufHyperparameters(GgufFile file) {
        this.file = file;
        this.architecture = file.requireString("general.architecture");
    }

    /**
     * Reads them.
     *
     * @throws InputException when the architecture is unknown, a number is missing or impossible, or the model wants
     *     rotary scaling, which no graph here has
     */
    public static ModelHyperparameters read(GgufFile file) {
        return new GgufHyperparameters(file).read();
    }

    private ModelHyperparameters read() {
        if (!ARCHITECTURES.contains(architecture)) {
            throw InputException.at(file.path())
                    .key("general.architecture")
                    .problem("an architecture that Tern does not know")
                    .expected("one of " + String.join(", ", ARCHITECTURES))
                    .found(architecture)
                    .exception();
        }
        requireNoRopeScaling();
        GgufTensor embedding = file.require("token_embd.weight");
        int hidden = number("embedding_length", MAX_WIDTH);
        int heads = number("attention.head_count", MAX_COUNT);
        int kvHeads = optional("attention.head_count_kv", MAX_COUNT).orElse(heads);
        if (heads % kvHeads != 0) {
            throw bad("attention.head_count_kv", "a divisor of the " + heads + " heads", kvHeads);
        }
        int headDim = headDim(hidden, heads);
        int ropeDims = optional("rope.dimension_count", MAX_WIDTH).orElse(headDim);
        if (ropeDims % 2 != 0 || ropeDims > headDim) {
            throw bad("rope.dimension_count", "an even number up to the head's " + headDim, ropeDims);
        }
        return new ModelHyperparameters(
                architecture,
                file.string("general.name").orElse(""),
                vocabSize(embedding),
                number("context_length", 1 << 27),
                hidden,
                number("feed_forward_length", MAX_WIDTH),
                number("block_count", MAX_COUNT),
                heads,
                kvHeads,
                headDim,
                ropeDims,
                positive("rope.freq_base", file.real(key("rope.freq_base")).orElse(10_000f)),
                positive("attention.layer_norm_rms_epsilon", file.requireReal(key("attention.layer_norm_rms_epsilon"))),
                activation(),
                architecture.startsWith("bitnet"),
                file.find("output.weight").isEmpty(),
                lowRank(),
                optional("bd_size", 1 << 27).orElse(0));
    }

    /** What the first block's U matrices show; {@code lrc_rank}, where it is stated, is the largest. */
    private LowRankRanks lowRank() {
        LowRankRanks ranks = LowRankRanks.of(module -> file.find("blk.0." + module + ".lrc_u")
                .map(u -> (int) Math.min(u.cols(), MAX_WIDTH))
                .orElse(0));
        Optional<Integer> stated = optional("lrc_rank", MAX_WIDTH);
        if (stated.isPresent() && stated.get() != ranks.largest()) {
            throw bad("lrc_rank", "the largest rank of the tensors blk.0.*.lrc_u, " + ranks.largest(), stated.get());
        }
        return ranks;
    }

    private int headDim(int hidden, int heads) {
        Optional<Integer> given = optional("attention.key_length", MAX_WIDTH);
        Optional<Integer> ofValues = optional("attention.value_length", MAX_WIDTH);
        if (given.isEmpty() && hidden % heads != 0) {
            throw bad("attention.head_count", "a divisor of the embedding's " + hidden + ", or attention.key_length", heads);
        }
        int headDim = given.orElse(hidden / heads);
        if (headDim % 2 != 0 || headDim == 0) {
            throw bad(given.isPresent() ? "attention.key_length" : "attention.head_count", "heads of even width", headDim);
        }
        if (ofValues.isPresent() && ofValues.get() != headDim) {
            throw bad("attention.value_length", "the key length, " + headDim, ofValues.get());
        }
        if ((long) heads * headDim > MAX_WIDTH) {
            throw bad("attention.head_count", "heads of at most " + MAX_WIDTH + " elements together", heads);
        }
        return headDim;
    }

    private int vocabSize(GgufTensor embedding) {
        long rows = embedding.rows();
        if (rows > Integer.MAX_VALUE / 4) {
            throw InputException.at(file.path())
                    .tensor(embedding.name())
                    .problem("more rows than any vocabulary has")
                    .found(rows)
                    .exception();
        }
        Optional<Integer> stated = optional("vocab_size", Integer.MAX_VALUE);
        if (stated.isPresent() && stated.get() != rows) {
            throw bad("vocab_size", "the embedding's " + rows + " rows", stated.get());
        }
        return (int) rows;
    }

    /** ReLU² for BitNet b1.58, SiLU for the older {@code bitnet} and for Llama, unless the file says. */
    private FfnActivation activation() {
        String key = key("hidden_activation");
        Optional<String> stated = file.string(key);
        if (stated.isEmpty()) {
            return architecture.equals("bitnet-b1.58") || architecture.equals("bitnet-25")
                    ? FfnActivation.RELU_SQUARED
                    : FfnActivation.SILU;
        }
        for (FfnActivation activation : FfnActivation.values()) {
            if (activation.label().equals(stated.get())) {
                return activation;
            }
        }
        throw InputException.at(file.path()).key(key).expected("silu or relu2").found(stated.get()).exception();
    }

    private void requireNoRopeScaling() {
        String type = file.string(key("rope.scaling.type")).orElse("none");
        float factor = file.real(key("rope.scaling.factor")).orElse(1f);
        boolean none = type.equals("none") || (type.equals("linear") && factor == 1f);
        if (!none || file.find("rope_freqs.weight").isPresent()) {
            throw InputException.at(file.path())
                    .key(key("rope.scaling.type"))
                    .problem("the model wants its rotary positions scaled, which Tern does not do")
                    .expected("none, or linear by 1")
                    .found(none ? "a tensor rope_freqs.weight" : type + " by " + factor)
                    .exception();
        }
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private int number(String name, int max) {
        return optional(name, max)
                .orElseThrow(() -> InputException.at(file.path()).key(key(name)).problem("missing").exception());
    }

    private Optional<Integer> optional(String name, int max) {
        Optional<Integer> value = file.integer(key(name));
        if (value.isPresent() && (value.get() < 1 || value.get() > max)) {
            throw bad(name, "a number from 1 to " + max, value.get());
        }
        return value;
    }

    private float positive(String name, float value) {
        if (!(value > 0) || value == Float.POSITIVE_INFINITY) {
            throw bad(name, "a positive number", value);
        }
        return value;
    }

    private InputException bad(String name, String expected, Object found) {
        return InputException.at(file.path()).key(key(name)).expected(expected).found(found).exception();
    }
}
