/*
 * bench_kernels.c: how fast the kernels of each tier are, at the shapes of BitNet b1.58 2B-4T. Not a test.
 *
 *   tern_bench_kernels [SECONDS PER ROW, 0.2 by default] [WORDS THAT A ROW'S NAME MUST CONTAIN ...]
 *
 * One thread, by its CPU time, so that other work on the machine takes away bandwidth but no time. The tiers take turns
 * within a row, several rounds; a row prints the median and the best round.
 * A matrix for one token is one of as many copies as fill 192 MiB, so that it comes from memory as in a model (six
 * times the L3 of a core complex), and so is the cache of keys and values; for several tokens they are used from the
 * caches. A float matrix, part of a head, always comes from memory. GB/s counts the bytes of the weights (of the cache,
 * for attention), Gop/s a multiplication and an addition as two.
 */
#define _DEFAULT_SOURCE /* madvise */
#include "check.h"
#include "encoded_case.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

typedef struct row {
    const char *name;
    void (*run)(const tern_kernels *kernels, void *state, int64_t repetition);
    void *state;
    double bytes; /* a call */
    double operations;
    int32_t from_tier; /* the scalar kernel stands in below it */
} row;

static double row_seconds = 0.2;
static char **wanted;
static int wanted_count;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds a call, over at least `seconds`. Short calls are timed many at a time: the clock takes half a microsecond. */
static double time_calls(const row *r, const tern_kernels *kernels, double seconds, int64_t *repetition) {
    const double start = now();
    int64_t calls = 0;
    int64_t at_a_time = 1;
    double elapsed;
    do {
        for (int64_t i = 0; i < at_a_time; i++) {
            r->run(kernels, r->state, (*repetition)++);
        }
        calls += at_a_time;
        elapsed = now() - start;
        at_a_time = elapsed < 1e-4 ? 2 * at_a_time : at_a_time;
    } while (elapsed < seconds);
    return elapsed / (double)calls;
}

static bool is_wanted(const char *name) {
    for (int i = 0; i < wanted_count; i++) {
        if (strstr(name, wanted[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static void bench(row r) {
    enum { ROUNDS = 7, TIERS = 8 };
    if (!is_wanted(r.name)) {
        return;
    }
    double times[TIERS][ROUNDS];
    int rounds[TIERS] = {0};
    int64_t repetition = 0;
    for (int i = 0; i < ROUNDS; i++) {
        for (int32_t tier = 0; tier < TIERS && tern_tier_name(tier) != NULL; tier++) {
            /* A call that takes longer than its row may is made once. */
            if (tern_tier_obstacle(tier) == NULL && tier >= r.from_tier && (i == 0 || times[tier][0] < row_seconds)) {
                times[tier][i] = time_calls(&r, tern_kernels_of(tier), row_seconds / ROUNDS, &repetition);
                rounds[tier]++;
            }
        }
    }
    for (int32_t tier = 0; tier < TIERS && tern_tier_name(tier) != NULL; tier++) {
        if (rounds[tier] == 0) {
            continue;
        }
        qsort(times[tier], (size_t)rounds[tier], sizeof(double), ascending);
        const double median = times[tier][rounds[tier] / 2];
        const double best = times[tier][0];
        printf("%-60s %-10s %10.1f us %8.2f GB/s %8.1f Gop/s %7.1f x   best %8.2f GB/s %8.1f Gop/s\n", r.name,
               tern_tier_name(tier), median * 1e6, r.bytes / median * 1e-9, r.operations / median * 1e-9,
               rounds[0] == 0 ? 0 : times[0][rounds[0] / 2] / median, r.bytes / best * 1e-9,
               r.operations / best * 1e-9);
    }
    fflush(stdout);
}

typedef struct ternary_state {
    tern_ternary_matrix w;
    tern_activations a;
    int64_t tokens;
    int64_t copies;
    int64_t bytes; /* of a copy */
    float *y;
} ternary_state;

static void run_ternary(const tern_kernels *kernels, void *state, int64_t repetition) {
    const ternary_state *s = state;
    tern_ternary_matrix w = s->w;
    w.codes += repetition % s->copies * s->bytes;
    kernels->ternary_matmul(&w, &s->a, s->tokens, 0, w.rows, s->y, w.rows);
}

enum { MEMORY = 192 << 20, HUGE_PAGE = 2 << 20 };

static void *allocate(int64_t bytes) {
    const int64_t page = bytes < HUGE_PAGE ? 4096 : HUGE_PAGE;
    void *at = aligned_alloc((size_t)page, (size_t)((bytes + page - 1) / page * page));
    if (at == NULL) {
        perror("allocating");
        exit(2);
    }
#if defined(MADV_HUGEPAGE)
    if (page == HUGE_PAGE) { /* as a loaded model has them; without, the kernels are slower and nothing else */
        (void)madvise(at, (size_t)bytes, MADV_HUGEPAGE);
    }
#endif
    return at;
}

/* Random codes as a layout may hold them. */
static void fill_codes(uint8_t *codes, int64_t bytes, int32_t layout) {
    for (int64_t i = 0; i < bytes; i += 8) {
        const uint64_t random = random_bits();
        uint64_t valid = random & ~(random >> 1 & UINT64_C(0x5555555555555555)); /* turns a 3 into a 2 */
        if (layout == TERN_PANELS_MIXED) { /* numbers below 27 in what are words, and no 3 in what are codes */
            valid &= UINT64_C(0x2529252925292529);
        }
        if (layout == TERN_PANELS_5TRIT) {
            for (int j = 0; j < 64; j += 8) {
                const uint64_t q = (random >> j & 255) * 243 >> 8;
                valid = (j == 0 ? 0 : valid) | (256 * q + 242) / 243 << j;
            }
        }
        memcpy(codes + i, &valid, 8);
    }
}

/* Bytes of a row, or of a panel. */
static int64_t stride_of(int32_t layout, int64_t cols) {
    switch (layout) {
    case TERN_ROWS: return cols / 4;
    case TERN_PANELS_2BIT: return (cols + 15) / 16 * 128;
    case TERN_PANELS_5TRIT: return (cols + 19) / 20 * 128;
    default: return (cols + 24) / 25 * 192;
    }
}

static void bench_ternary(int64_t rows, int64_t cols, int64_t tokens, int32_t layout) {
    static const char *const names[] = {"rows", "panels of 2 bits", "panels of 5 trits", "mixed panels"};
    ternary_state s;
    const int64_t stride = stride_of(layout, cols);
    const int64_t bytes = layout == TERN_ROWS ? rows * stride : rows / TERN_PANEL_ROWS * stride;
    s.copies = tokens <= 8 ? MEMORY / bytes + 1 : 1; /* a few tokens wait for memory, as one does */
    s.tokens = tokens;
    s.bytes = bytes;
    uint8_t *codes = allocate(bytes * s.copies);
    fill_codes(codes, bytes, layout);
    for (int64_t i = 1; i < s.copies; i++) {
        memcpy(codes + i * bytes, codes, (size_t)bytes);
    }
    s.w = (tern_ternary_matrix){codes, rows, cols, stride, 1, layout};
    s.a = (tern_activations){allocate(tokens * cols), allocate(tokens * 4), allocate(tokens * 4), cols};
    for (int64_t i = 0; i < tokens * cols; i++) {
        s.a.values[i] = (int8_t)random_below(256);
    }
    for (int64_t t = 0; t < tokens; t++) {
        s.a.scales[t] = 1;
        s.a.sums[t] = 0;
    }
    s.y = allocate(tokens * rows * 4);
    char name[96];
    snprintf(name, sizeof name, "ternary_matmul %lldx%lld %s, %lld token%s", (long long)rows, (long long)cols,
             names[layout], (long long)tokens, tokens == 1 ? "" : "s");
    bench((row){name, run_ternary, &s, (double)bytes, 2.0 * (double)(rows * cols * tokens),
                layout == TERN_ROWS ? TERN_TIER_SCALAR : TERN_TIER_AVXVNNI});
    free(codes);
    free(s.a.values);
    free(s.a.scales);
    free(s.a.sums);
    free(s.y);
}

typedef struct panels_state {
    tern_ternary_matrix rows;
    tern_ternary_matrix panels;
} panels_state;

static void run_pack(const tern_kernels *kernels, void *state, int64_t repetition) {
    const panels_state *s = state;
    (void)repetition;
    kernels->ternary_pack(s->rows.codes, s->rows.stride, 0, s->rows.rows, &s->panels);
}

static void run_unpack(const tern_kernels *kernels, void *state, int64_t repetition) {
    const panels_state *s = state;
    (void)repetition;
    kernels->ternary_unpack(&s->panels, 0, s->rows.rows, (uint8_t *)(uintptr_t)s->rows.codes, s->rows.stride);
}

/* A load's share of a matrix: operations are weights. */
static void bench_panels(int32_t layout) {
    const int64_t rows = 416;
    const int64_t cols = 2560;
    static const char *const names[] = {NULL, "2 bits", "5 trits", "mixed"};
    const int64_t stride = stride_of(layout, cols);
    panels_state s = {{allocate(rows * cols / 4), rows, cols, cols / 4, 1, TERN_ROWS},
                      {allocate(rows / 32 * stride), rows, cols, stride, 1, layout}};
    memset((void *)(uintptr_t)s.rows.codes, 0x46, (size_t)(rows * cols / 4));
    const double bytes = (double)(rows * cols / 4 + rows / 32 * stride);
    char name[64];
    snprintf(name, sizeof name, "ternary_pack %s", names[layout]);
    bench((row){name, run_pack, &s, bytes, (double)(rows * cols), TERN_TIER_SCALAR});
    snprintf(name, sizeof name, "ternary_unpack %s", names[layout]);
    bench((row){name, run_unpack, &s, bytes, (double)(rows * cols), TERN_TIER_SCALAR});
    free((void *)(uintptr_t)s.rows.codes);
    free((void *)(uintptr_t)s.panels.codes);
}

typedef struct encoded_state {
    int32_t encoding;
    int64_t rows;
    int64_t cols;
    float scale;
    uint8_t *in;
    uint8_t *codes;
} encoded_state;

static void run_decode(const tern_kernels *kernels, void *state, int64_t repetition) {
    const encoded_state *s = state;
    (void)repetition;
    if (kernels->ternary_decode(s->encoding, s->in, s->rows, s->cols, s->scale, s->codes, s->cols / 4) != -1) {
        fail("a matrix is refused");
    }
}

/* As bench_panels. */
static void bench_decode(int32_t encoding) {
    static const char *const names[ENCODINGS] = {"TQ1_0", "TQ2_0", "Q2_K", "Q4_0", "Q8_0", "F16", "BF16", "F32"};
    const int64_t rows = 416;
    const int64_t cols = 2560;
    const int64_t bytes = cols / encoded_columns(encoding) * encoded_bytes(encoding);
    encoded_state s = {encoding, rows, cols, 0.75f, allocate(rows * bytes), allocate(rows * cols / 4)};
    int8_t t[2560];
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            t[c] = (int8_t)(random_below(3) - 1);
        }
        encode_row(encoding, t, cols, 0x3a00, 0, s.in + r * bytes);
    }
    char name[64];
    snprintf(name, sizeof name, "ternary_decode %s", names[encoding]);
    bench((row){name, run_decode, &s, (double)(rows * (bytes + cols / 4)), (double)(rows * cols), TERN_TIER_SCALAR});
    free(s.in);
    free(s.codes);
}

typedef struct float_state {
    tern_float_matrix w;
    int64_t tokens;
    float *x;
    float *y;
} float_state;

static void run_float(const tern_kernels *kernels, void *state, int64_t repetition) {
    const float_state *s = state;
    (void)repetition;
    kernels->float_matmul(&s->w, s->x, s->w.cols, s->tokens, 0, s->w.rows, s->y, s->w.rows);
}

/* Part of a head: 16384 rows of 2560 are 34 (Q6_K) to 168 MB (F32), from memory. */
static void bench_float(int32_t type, int64_t tokens) {
    const int64_t rows = 16384;
    const int64_t cols = 2560;
    const int64_t bytes = (int64_t)bytes_of_elements(type, rows * cols);
    static const char *const type_names[] = {"f32", "f16", "bf16", "q8_0", "q6_k"};
    float_state s = {
        {allocate(bytes), rows, cols, cols, type}, tokens, allocate(tokens * cols * 4), allocate(tokens * rows * 4)};
    fill_typed((void *)s.w.values, type, rows * cols, FILL_UNIFORM);
    fill_floats(s.x, tokens * cols, FILL_UNIFORM);
    char name[64];
    snprintf(name, sizeof name, "float_matmul %s %lldx%lld, %lld token%s", type_names[type], (long long)rows,
             (long long)cols, (long long)tokens, tokens == 1 ? "" : "s");
    bench((row){name, run_float, &s, (double)bytes, 2.0 * (double)(rows * cols * tokens), TERN_TIER_SCALAR});
    free((void *)s.w.values);
    free(s.x);
    free(s.y);
}

typedef struct screen_state {
    tern_float_matrix w;
    tern_screen screen;
    tern_screen_inputs x;
    tern_screen_scores y;
    int64_t tokens;
} screen_state;

enum { PACKED_ROWS = 2048 };

static void run_screen_pack(const tern_kernels *kernels, void *state, int64_t repetition) {
    const screen_state *s = state;
    (void)repetition;
    kernels->screen_pack(&s->w, 0, PACKED_ROWS, &s->screen);
}

static void run_screen_scores(const tern_kernels *kernels, void *state, int64_t repetition) {
    const screen_state *s = state;
    (void)repetition;
    kernels->screen_scores(&s->screen, &s->x, s->tokens, 0, s->w.rows, &s->y);
}

/* The screen of a part of a head, from memory. */
static void bench_screen(int32_t bits, int64_t tokens) {
    const int64_t rows = 65536;
    const int64_t cols = 2560;
    const int64_t bytes = rows * cols / 8 * bits;
    float *columns[3];
    for (int i = 0; i < 3; i++) {
        columns[i] = allocate(rows * 4);
        fill_floats(columns[i], rows, FILL_UNIFORM);
    }
    screen_state s = {.w = {allocate(rows * 2100), rows, cols, cols, TERN_Q6_K}, .tokens = tokens};
    s.screen = (tern_screen){allocate(bytes), columns[0], columns[1], columns[2], rows, cols, 4 * cols * bits, bits};
    int8_t *inputs = allocate(tokens * cols);
    for (int64_t i = 0; i < tokens * cols; i++) {
        inputs[i] = (int8_t)(random_below(64) - 32);
    }
    float *out = allocate(tokens * rows * 10);
    s.x = (tern_screen_inputs){inputs, inputs, allocate(tokens * 8), columns[0], cols};
    memset((void *)s.x.sums, 0, (size_t)tokens * 8);
    s.y = (tern_screen_scores){out,      out + tokens * rows, out + 2 * tokens * rows, out + 2 * tokens * rows, rows,
                               rows / 32};
    fill_typed((void *)s.w.values, TERN_Q6_K, rows * cols, FILL_UNIFORM);
    char name[96];
    if (tokens == 1) {
        snprintf(name, sizeof name, "screen_pack %d bits of q6_k %dx%lld", bits, PACKED_ROWS, (long long)cols);
        bench((row){name, run_screen_pack, &s, (double)(PACKED_ROWS * 2100), 2.0 * (double)(PACKED_ROWS * cols),
                    TERN_TIER_SCALAR});
    }
    snprintf(name, sizeof name, "screen_scores %d bits %lldx%lld, %lld token%s", bits, (long long)rows, (long long)cols,
             (long long)tokens, tokens == 1 ? "" : "s");
    bench((row){name, run_screen_scores, &s, (double)bytes, 2.0 * (double)(rows * cols * tokens), TERN_TIER_SCALAR});
    if (tokens > 1) {
        s.x.low = NULL;
        strncat(name, " of 7 bits", sizeof name - strlen(name) - 1);
        bench(
            (row){name, run_screen_scores, &s, (double)bytes, 2.0 * (double)(rows * cols * tokens), TERN_TIER_SCALAR});
    }
    for (int i = 0; i < 3; i++) {
        free(columns[i]);
    }
    free((void *)s.w.values);
    free(s.screen.codes);
    free(inputs);
    free((void *)s.x.sums);
    free(out);
}

typedef struct attention_state {
    tern_kv_layer kv;
    int64_t cache_bytes; /* of the keys of one copy */
    int64_t copies;
    float *q;
    float *scores;
    float *out;
    int64_t position;
    int64_t tokens;
} attention_state;

enum { HEADS = 20, KV_HEADS = 5, HEAD_DIM = 128 };

static void run_attention(const tern_kernels *kernels, void *state, int64_t repetition) {
    const attention_state *s = state;
    tern_kv_layer kv = s->kv;
    kv.keys = (uint8_t *)kv.keys + repetition % s->copies * s->cache_bytes;
    kv.values = (uint8_t *)kv.values + repetition % s->copies * s->cache_bytes;
    kernels->attention(&kv, s->q, HEADS * HEAD_DIM, HEADS, s->position, 0, HEADS * s->tokens, 0.088388f, s->scores,
                       s->out, HEADS * HEAD_DIM);
}

/* The last `tokens` of `length` positions; a single token reads its cache from memory, as a matrix. */
static void bench_attention(int32_t type, int64_t length, int64_t tokens) {
    static const char *const type_names[] = {"f32", "f16", "bf16", "q8_0"};
    const int64_t elements = KV_HEADS * length * HEAD_DIM;
    const int64_t bytes = (int64_t)bytes_of_elements(type, elements);
    const int64_t copies = tokens == 1 ? MEMORY / (2 * bytes) + 1 : 1;
    attention_state s = {{allocate(bytes * copies), allocate(bytes * copies), KV_HEADS, length, HEAD_DIM, type},
                         bytes,
                         copies,
                         allocate(tokens * HEADS * HEAD_DIM * 4),
                         allocate(TERN_ATTENTION_SCORES(tokens * HEADS, length) * 4),
                         allocate(tokens * HEADS * HEAD_DIM * 4),
                         length - tokens,
                         tokens};
    fill_typed(s.kv.keys, type, elements, FILL_UNIFORM);
    fill_typed(s.kv.values, type, elements, FILL_UNIFORM);
    for (int64_t i = 1; i < copies; i++) {
        memcpy((uint8_t *)s.kv.keys + i * bytes, s.kv.keys, (size_t)bytes);
        memcpy((uint8_t *)s.kv.values + i * bytes, s.kv.values, (size_t)bytes);
    }
    fill_floats(s.q, tokens * HEADS * HEAD_DIM, FILL_UNIFORM);
    char name[64];
    snprintf(name, sizeof name, "attention %s 20/5x128, length %lld, %lld token%s", type_names[type], (long long)length,
             (long long)tokens, tokens == 1 ? "" : "s");
    const int64_t pairs = tokens * s.position + tokens * (tokens + 1) / 2; /* of a token and a position */
    bench((row){name, run_attention, &s, 2.0 * (double)bytes, 4.0 * (double)(HEADS * HEAD_DIM * pairs),
                TERN_TIER_SCALAR});
    free(s.kv.keys);
    free(s.kv.values);
    free(s.q);
    free(s.scores);
    free(s.out);
}

typedef struct vector_state {
    float *x;
    float *y;
    float *z;
    tern_activations a;
    int64_t n;
} vector_state;

static void run_quantize(const tern_kernels *kernels, void *state, int64_t repetition) {
    const vector_state *s = state;
    (void)repetition;
    kernels->quantize(s->x, s->n, s->n, 0, 1, &s->a);
}

static void run_norm(const tern_kernels *kernels, void *state, int64_t repetition) {
    const vector_state *s = state;
    (void)repetition;
    kernels->rms_norm(s->x, s->n, s->y, 1e-5f, s->n, 0, 1, s->z, s->n);
}

static void run_relu(const tern_kernels *kernels, void *state, int64_t repetition) {
    const vector_state *s = state;
    (void)repetition;
    kernels->relu_squared_gate(s->x, s->y, s->z, s->n);
}

static void run_silu(const tern_kernels *kernels, void *state, int64_t repetition) {
    const vector_state *s = state;
    (void)repetition;
    kernels->silu_gate(s->x, s->y, s->z, s->n);
}

static void bench_vectors(int64_t n) {
    float scale;
    int32_t sum;
    vector_state s = {allocate(n * 4), allocate(n * 4), allocate(n * 4), {allocate(n), &scale, &sum, n}, n};
    fill_floats(s.x, n, FILL_UNIFORM);
    fill_floats(s.y, n, FILL_UNIFORM);
    char name[64];
    snprintf(name, sizeof name, "quantize %lld", (long long)n);
    bench((row){name, run_quantize, &s, 4.0 * (double)n, 2.0 * (double)n, TERN_TIER_SCALAR});
    snprintf(name, sizeof name, "rms_norm %lld", (long long)n);
    bench((row){name, run_norm, &s, 4.0 * (double)n, 4.0 * (double)n, TERN_TIER_SCALAR});
    snprintf(name, sizeof name, "relu_squared_gate %lld", (long long)n);
    bench((row){name, run_relu, &s, 8.0 * (double)n, 3.0 * (double)n, TERN_TIER_SCALAR});
    snprintf(name, sizeof name, "silu_gate %lld", (long long)n);
    bench((row){name, run_silu, &s, 8.0 * (double)n, 20.0 * (double)n, TERN_TIER_SCALAR});
    free(s.x);
    free(s.y);
    free(s.z);
    free(s.a.values);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        row_seconds = atof(argv[1]);
    }
    wanted = argv + 2;
    wanted_count = argc > 2 ? argc - 2 : 0;
    static const int64_t shapes[][2] = {{2560, 2560}, {640, 2560}, {6912, 2560}, {2560, 6912}};
    static const int64_t token_counts[] = {1, 2, 4, 8, 128};
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 4; j++) {
            for (int32_t layout = TERN_ROWS; layout <= TERN_PANELS_MIXED; layout++) {
                bench_ternary(shapes[j][0], shapes[j][1], token_counts[i], layout);
            }
        }
    }
    bench_panels(TERN_PANELS_2BIT);
    bench_panels(TERN_PANELS_5TRIT);
    bench_panels(TERN_PANELS_MIXED);
    for (int32_t encoding = 0; encoding < ENCODINGS; encoding++) {
        bench_decode(encoding);
    }
    for (int32_t type = TERN_F32; type <= TERN_Q6_K; type++) {
        for (int64_t tokens = 1; tokens <= 8; tokens *= 2) {
            bench_float(type, tokens);
        }
    }
    for (int32_t bits = 4; bits <= 6; bits += 2) {
        bench_screen(bits, 1);
        bench_screen(bits, 8);
    }
    static const int32_t cache_types[] = {TERN_F32, TERN_F16, TERN_Q8_0};
    for (int i = 0; i < 3; i++) {
        bench_attention(cache_types[i], 128, 1);
        bench_attention(cache_types[i], 2048, 1);
        bench_attention(cache_types[i], 4096, 1);
        bench_attention(cache_types[i], 512, 128);
    }
    bench_vectors(2560);
    bench_vectors(6912);
    return 0;
}
