package dev.tern.inspect;

import java.util.Locale;

/**
 * What can be wrong with a file, or worth knowing about it. {@link #id} is stable: {@code docs/inspect.md} lists every one
 * with its symptom, its cause and its cure.
 */
public enum FindingKind {
    // The file is not what its name says, or not all of it is there.
    LFS_POINTER,
    WEB_PAGE,
    NOT_GGUF,
    PICKLE,
    TRUNCATED,
    OFFSET_DRIFT,
    DAMAGED,

    // Types of tensors.
    UNREADABLE_TYPE,
    NOT_TERNARY,
    BLOCK_REQUANTIZED,
    CONTINUOUS_WEIGHTS,
    FILE_TYPE_MISMATCH,
    TILES_MISSING,

    // Ternary values and scales.
    INVALID_CODE,
    SIGN_QUANTIZED,
    ABSMAX_QUANTIZED,
    ALL_ZERO,
    SCALE_NOT_POSITIVE,
    SCALE_LOST,
    SCALE_IS_DENSITY,
    SCALE_INVERTED,
    SCALE_SPREAD,
    NOT_FINITE,

    // The order in which weights lie.
    I2S_SEQUENTIAL,
    I2S_NEON,
    I2S_FOUR_ROWS,
    PACKED_NOT_UNPACKED,
    PACKED_INTERLEAVE,
    ROPE_ORDER,

    // The graph.
    ARCHITECTURE_SPELLING,
    ARCHITECTURE_UNKNOWN,
    ACTIVATION_UNKNOWN,
    ACTIVATION_MISMATCH,
    METADATA,
    HEAD_DIM_MISSING,
    ROPE_DIMENSION,
    SHAPE_MISMATCH,
    SUB_NORMS_MISSING,
    HEAD_LOST,
    TENSORS_MISSING,
    TENSOR_UNUSED,
    QUANTIZATION_CONFIG_MISSING,

    // The tokenizer.
    TOKENIZER_MISSING,
    TOKENIZER_UNREADABLE,
    PRE_TOKENIZER_MISSING,
    BOS_BAKED_IN,
    VOCABULARY_MISMATCH,
    VOCABULARY_INCOMPLETE,
    SPECIAL_TOKEN_MISSING,
    CHAT_TEMPLATE_MISSING,

    // What the model says.
    UNTRAINED,
    PROBE_SKIPPED,

    // Worth knowing.
    READERS,
    ASSUMPTION;

    /** As in JSON and in the documentation: {@code sign-quantized}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
