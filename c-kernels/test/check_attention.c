/*
 * check_attention.c: softmax, store_kv, attention.
 */
#if TERN_HAS_AVX2
#include "attention_rows.h"
#endif
#include "check.h"

#include <math.h>
#include <string.h>

void check_softmax(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int64_t n = 1; n <= 1100; n += n < 300 ? 1 : 97) {
        for (int kind = 0; kind < 5; kind++) {
            guarded x[2];
            for (int i = 0; i < 2; i++) {
                x[i] = guarded_new((size_t)n * sizeof(float), (edge)(n % 2));
            }
            float *values = x[0].data;
            fill_floats(values, n, kind == 3 ? FILL_ZERO : kind == 4 ? FILL_TINY : FILL_UNIFORM);
            for (int64_t i = 0; i < n; i++) {
                values[i] *= kind == 1 ? 100.0f : 1.0f;           /* exp reaches 0 */
                if (kind == 2 && i > 0 && random_below(3) == 0) { /* a masked position */
                    values[i] = -INFINITY;
                }
            }
            memcpy(x[1].data, values, x[0].bytes);
            scalar->softmax(x[0].data, n);
            tier->softmax(x[1].data, n);
            CHECK(first_difference(x[0].data, x[1].data, n) < 0 && guarded_slack_intact(&x[1]),
                  "softmax: n %lld, kind %d", (long long)n, kind);
            guarded_free(&x[0]);
            guarded_free(&x[1]);
        }
    }
}

/* Floats whose conversion to F16 is a tie, overflows, or becomes subnormal. */
static float awkward_for_f16(void) {
    switch (random_below(5)) {
    case 0: return (float)ldexp(1 + (double)(2 * random_below(1024) + 1) / 2048, (int)random_below(30) - 14);
    case 1: return (float)(65503 + (double)random_below(40));
    case 2: return (float)ldexp((double)(2 * random_below(2048) + 1), -25);
    case 3: return (float)ldexp((double)random_uniform(), -22);
    default: return -random_uniform() * 8;
    }
}

/* Q8_0 to the byte: its d is no NaN. */
static bool same_block(const uint8_t *a, const uint8_t *b, int32_t type) {
    uint16_t half[2];
    float single[2];
    switch (type) {
    case TERN_F16:
        memcpy(&half[0], a, sizeof half[0]);
        memcpy(&half[1], b, sizeof half[1]);
        return same_half(half[0], half[1]);
    case TERN_F32:
        memcpy(&single[0], a, sizeof single[0]);
        memcpy(&single[1], b, sizeof single[1]);
        return same_float(single[0], single[1]);
    default: return memcmp(a, b, bytes_of_elements(type, block_of_type(type))) == 0;
    }
}

static void store_case(const tern_kernels *scalar, const tern_kernels *tier, int32_t type, int64_t head_dim, fill kind,
                       edge side) {
    const int64_t kv_heads = 3;
    const int64_t capacity = 9;
    const int64_t tokens = 4;
    const int64_t stride = kv_heads * head_dim + random_below(4);
    const size_t source_bytes = (size_t)((tokens - 1) * stride + kv_heads * head_dim) * sizeof(float);
    guarded k = guarded_new(source_bytes, side);
    guarded v = guarded_new(source_bytes, side);
    fill_floats(k.data, (int64_t)(source_bytes / sizeof(float)), kind);
    for (size_t i = 0; i < source_bytes / sizeof(float); i++) {
        ((float *)v.data)[i] = awkward_for_f16();
    }
    const int64_t block = block_of_type(type);
    const int64_t blocks = kv_heads * capacity * head_dim / block; /* a block of plain floats is one element */
    const size_t size = bytes_of_elements(type, block);
    guarded keys[2];
    guarded values[2];
    for (int i = 0; i < 2; i++) {
        keys[i] = guarded_new((size_t)blocks * size, side);
        values[i] = guarded_new((size_t)blocks * size, side);
        const tern_kv_layer kv = {keys[i].data, values[i].data, kv_heads, capacity, head_dim, type};
        (i == 0 ? scalar : tier)->store_kv(&kv, k.data, v.data, stride, 3, 1, 4);
        CHECK(guarded_slack_intact(&keys[i]) && guarded_slack_intact(&values[i]),
              "store_kv wrote outside of the cache");
    }
    for (int64_t i = 0; i < blocks; i++) {
        const int64_t p = i * block / head_dim % capacity;
        const uint8_t *at[2][2];
        for (int j = 0; j < 2; j++) {
            at[j][0] = (uint8_t *)keys[j].data + (size_t)i * size;
            at[j][1] = (uint8_t *)values[j].data + (size_t)i * size;
        }
        CHECK(same_block(at[0][0], at[1][0], type) && same_block(at[0][1], at[1][1], type),
              "store_kv: type %d, head_dim %lld, fill %d, block %lld", type, (long long)head_dim, kind, (long long)i);
        if (p < 4 || p >= 7) {
            CHECK(guarded_is_pattern(at[1][0], size, &keys[1]) && guarded_is_pattern(at[1][1], size, &values[1]),
                  "store_kv wrote position %lld", (long long)p);
        }
    }
    guarded_free(&k);
    guarded_free(&v);
    for (int i = 0; i < 2; i++) {
        guarded_free(&keys[i]);
        guarded_free(&values[i]);
    }
}

void check_store_kv(const tern_kernels *scalar, const tern_kernels *tier) {
    for (int32_t type = TERN_F32; type <= TERN_F16; type++) {
        for (int64_t head_dim = 1; head_dim <= 140; head_dim++) {
            store_case(scalar, tier, type, head_dim, (fill)(head_dim % FILL_COUNT), (edge)(head_dim % 2));
        }
    }
    for (int64_t head_dim = 32; head_dim <= 256; head_dim += 32) {
        for (fill kind = 0; kind < FILL_COUNT; kind++) {
            store_case(scalar, tier, TERN_Q8_0, head_dim, kind, (edge)(head_dim / 32 % 2));
        }
    }
}

static void attention_case(const tern_kernels *scalar, const tern_kernels *tier, int32_t type, int64_t head_dim,
                           int64_t heads, int64_t kv_heads, int64_t position, int64_t tokens, int64_t item_begin,
                           int64_t item_end, fill kind, edge side) {
    const int64_t capacity = position + tokens; /* full: the last position ends at the guard page */
    const int64_t q_stride = heads * head_dim + random_below(4);
    const int64_t out_stride = heads * head_dim + random_below(4);
    const int64_t elements = kv_heads * capacity * head_dim;
    guarded keys = guarded_new(bytes_of_elements(type, elements), side);
    guarded values = guarded_new(bytes_of_elements(type, elements), side);
    fill_typed(keys.data, type, elements, kind);
    fill_typed(values.data, type, elements, kind);
    const int64_t q_count = (tokens - 1) * q_stride + heads * head_dim;
    guarded q = guarded_new((size_t)q_count * sizeof(float), side);
    fill_floats(q.data, q_count, kind);
    const tern_kv_layer kv = {keys.data, values.data, kv_heads, capacity, head_dim, type};
    const int64_t longest = item_end > item_begin ? position + (item_end - 1) / heads + 1 : 0;
    guarded out[2];
    for (int i = 0; i < 2; i++) {
        guarded scores =
            guarded_new((size_t)TERN_ATTENTION_SCORES(item_end - item_begin, longest) * sizeof(float), side);
        out[i] = guarded_new((size_t)((tokens - 1) * out_stride + heads * head_dim) * sizeof(float), side);
        (i == 0 ? scalar : tier)
            ->attention(&kv, q.data, q_stride, heads, position, item_begin, item_end, 0.0883883f * 8, scores.data,
                        out[i].data, out_stride);
        CHECK(guarded_slack_intact(&scores), "attention wrote outside of its scratch");
        guarded_free(&scores);
    }
    const int64_t n = (int64_t)(out[0].bytes / sizeof(float));
    CHECK(first_difference(out[0].data, out[1].data, n) < 0 && guarded_slack_intact(&out[1]),
          "attention: type %d, head_dim %lld, heads %lld/%lld, position %lld, items [%lld, %lld), fill %d", type,
          (long long)head_dim, (long long)heads, (long long)kv_heads, (long long)position, (long long)item_begin,
          (long long)item_end, kind);
    for (int64_t i = 0; i < n; i++) {
        const int64_t in_token = i % out_stride;
        const int64_t item = i / out_stride * heads + in_token / head_dim;
        if (in_token >= heads * head_dim || item < item_begin || item >= item_end) {
            CHECK(guarded_is_pattern((float *)out[1].data + i, sizeof(float), &out[1]), "attention wrote element %lld",
                  (long long)i);
        }
    }
#if TERN_HAS_AVX2
    attention_way *way = tier->tier == TERN_TIER_AVX2         ? tern_avx2_attention_as
                         : tier->tier == TERN_TIER_AVX512VNNI ? tern_avx512_attention_as
                                                              : NULL;
    for (int prefetch = 0; prefetch < 2 && way != NULL; prefetch++) { /* the two ways that are chosen by CPU */
        guarded scores =
            guarded_new((size_t)TERN_ATTENTION_SCORES(item_end - item_begin, longest) * sizeof(float), side);
        guarded y = guarded_new(out[0].bytes, side);
        way(&kv, q.data, q_stride, heads, position, item_begin, item_end, 0.0883883f * 8, scores.data, y.data,
            out_stride, prefetch == 1);
        CHECK(first_difference(out[0].data, y.data, n) < 0 && guarded_slack_intact(&y) && guarded_slack_intact(&scores),
              "attention: prefetch %d, type %d, head_dim %lld", prefetch, type, (long long)head_dim);
        guarded_free(&scores);
        guarded_free(&y);
    }
#endif
    guarded_free(&keys);
    guarded_free(&values);
    guarded_free(&q);
    guarded_free(&out[0]);
    guarded_free(&out[1]);
}

void check_attention(const tern_kernels *scalar, const tern_kernels *tier) {
    static const int32_t types[] = {TERN_F32, TERN_F16, TERN_Q8_0};
    static const fill kinds[] = {FILL_UNIFORM, FILL_ZERO, FILL_SUBNORMAL, FILL_TINY};
    for (int i = 0; i < 3; i++) {
        const int32_t type = types[i];
        const int64_t unit = block_of_type(type); /* a head is whole blocks */
        for (int64_t head_dim = unit; head_dim <= 160; head_dim += unit) {
            const fill kind = kinds[head_dim / unit % 4];
            attention_case(scalar, tier, type, head_dim, 4, 2, random_below(20), 2, 0, 8, kind, AT_END);
            attention_case(scalar, tier, type, head_dim, 6, 2, random_below(12), 3, 5, 13, FILL_UNIFORM, AT_BEGIN);
        }
        for (int64_t position = 0; position < 70; position++) {
            attention_case(scalar, tier, type, 64, 4, 1, position, 1, 1, 4, FILL_UNIFORM, AT_END);
        }
        attention_case(scalar, tier, type, 128, 20, 5, 300, 1, 0, 20, FILL_UNIFORM, AT_END);
        attention_case(scalar, tier, type, 256, 2, 2, 130, 2, 0, 4, FILL_UNIFORM, AT_END);
        attention_case(scalar, tier, type, 8 < unit ? unit : 8, 6, 2, 4094, 3, 1, 18, FILL_UNIFORM, AT_END);
        /* More rows of a key head than have scratch; groups that fill no tile; a range cut within its tokens. */
        attention_case(scalar, tier, type, 64, 4, 1, 37, 40, 2, 159, FILL_UNIFORM, AT_END);
        attention_case(scalar, tier, type, 96, 5, 1, 0, 37, 1, 184, FILL_UNIFORM, AT_BEGIN);
        attention_case(scalar, tier, type, 32, 3, 3, 9, 70, 1, 209, FILL_UNIFORM, AT_END);
        /* Heads so large that fewer rows and positions go together, and larger ones than the blocks are made for. */
        attention_case(scalar, tier, type, 300 / unit * unit, 8, 2, 30, 9, 0, 72, FILL_UNIFORM, AT_END);
        attention_case(scalar, tier, type, 512, 2, 1, 20, 12, 0, 24, FILL_UNIFORM, AT_END);
        attention_case(scalar, tier, type, 544, 2, 1, 20, 3, 0, 6, FILL_UNIFORM, AT_END);
    }
}
