package dev.tern.convert;

import dev.tern.gguf.GgufValue;
import dev.tern.model.ModelHyperparameters;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** The key-value pairs that describe the model, as llama.cpp and bitnet.cpp name them; the tokenizer's follow them. */
final class ModelMetadata {
    private ModelMetadata() {}

    static SequencedMap<String, GgufValue> of(FileDescription target) {
        ModelHyperparameters model = target.model();
        String arch = model.architecture();
        SequencedMap<String, GgufValue> keys = new LinkedHashMap<>();
        keys.put("general.architecture", GgufValue.of(arch));
        keys.put("general.name", GgufValue.of(model.name()));
        keys.put(arch + ".vocab_size", GgufValue.u32(model.vocabSize()));
        keys.put(arch + ".context_length", GgufValue.u32(model.contextLength()));
        keys.put(arch + ".embedding_length", GgufValue.u32(model.hiddenSize()));
        keys.put(arch + ".block_count", GgufValue.u32(model.layers()));
        keys.put(arch + ".feed_forward_length", GgufValue.u32(model.intermediateSize()));
        keys.put(arch + ".rope.dimension_count", GgufValue.u32(model.ropeDims()));
        keys.put(arch + ".attention.head_count", GgufValue.u32(model.heads()));
        keys.put(arch + ".attention.head_count_kv", GgufValue.u32(model.kvHeads()));
        keys.put(arch + ".attention.layer_norm_rms_epsilon", GgufValue.of(model.normEps()));
        keys.put(arch + ".rope.freq_base", GgufValue.of(model.ropeTheta()));
        if (model.headDim() * model.heads() != model.hiddenSize()) {
            keys.put(arch + ".attention.key_length", GgufValue.u32(model.headDim()));
            keys.put(arch + ".attention.value_length", GgufValue.u32(model.headDim()));
        }
        keys.put(arch + ".hidden_activation", GgufValue.of(model.activation().label()));
        if (model.lowRank().largest() > 0) {
            keys.put(arch + ".lrc_rank", GgufValue.u32(model.lowRank().largest()));
        }
        if (model.diffusionBlock() > 0) {
            keys.put(arch + ".bd_size", GgufValue.u32(model.diffusionBlock()));
        }
        keys.put("general.file_type", GgufValue.u32(target.outtype().fileType()));
        keys.put("general.quantization_version", GgufValue.u32(2));
        keys.putAll(target.tiles().metadata());
        return keys;
    }
}
