/*
 * bench_kernels.c: how fast the kernels of each tier are, at the shapes of BitNet b1.58 2B-4T. Not a test.
 *
 *   tern_bench_kernels [SECONDS PER ROW, 0.2 by default] [WORDS THAT A ROW'S NAME MUST CONTAIN ...]
 *
 * One thread, by its CPU time, so that other work on the machine takes away bandwidth but no time. The tiers take turns
 * within a row, several rounds; a row prints the median and the best round.
 * A matrix for one token is one of as many copies as fill 192 MiB, so that it comes from memory as in a model (six
 * times the L3 of a core complex); for several tokens its codes are used from the caches. A float matrix, part of a
 * head, always comes from memory. GB/s counts the bytes of the weights (of the cache, for attention), Gop/s a
 * multiplication and an addition as two.
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct row {
    const char *name;
    void (*run)(const tern_kernels *kernels, void *state, int64_t repetition);
    void *state;
    double bytes; /* a call */
    double operations;
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
            if (tern_tier_obstacle(tier) == NULL && (i == 0 || times[tier][0] < row_seconds)) {
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
        printf("%-44s %-7s %10.1f us %8.2f GB/s %8.1f Gop/s %7.1f x   best %8.2f GB/s %8.1f Gop/s\n", r.name,
               tern_tier_name(tier), median * 1e6, r.bytes / median * 1e-9, r.operations / median * 1e-9,
               times[0][rounds[0] / 2] / median, r.bytes / best * 1e-9, r.operations / best * 1e-9);
    }
    fflush(stdout);
}

typedef struct ternary_state {
    tern_ternary_matrix w;
    tern_activations a;
    int64_t tokens;
    int64_t copies;
    float *y;
} ternary_state;

static void run_ternary(const tern_kernels *kernels, void *state, int64_t repetition) {
    const ternary_state *s = state;
    tern_ternary_matrix w = s->w;
    w.codes += repetition % s->copies * w.rows * w.stride;
    kernels->ternary_matmul(&w, &s->a, s->tokens, 0, w.rows, s->y, w.rows);
}

enum { MEMORY = 192 << 20 };

static void *allocate(int64_t bytes) {
    void *at = aligned_alloc(4096, (size_t)((bytes + 4095) / 4096 * 4096));
    if (at == NULL) {
        perror("allocating");
        exit(2);
    }
    return at;
}

static void bench_ternary(int64_t rows, int64_t cols, int64_t tokens) {
    ternary_state s;
    const int64_t bytes = rows * cols / 4;
    s.copies = tokens == 1 ? MEMORY / bytes + 1 : 1;
    s.tokens = tokens;
    uint8_t *codes = allocate(bytes * s.copies);
    for (int64_t i = 0; i < bytes * s.copies; i += 8) {
        const uint64_t random = random_bits();
        const uint64_t valid = random & ~(random >> 1 & UINT64_C(0x5555555555555555)); /* turns a 3 into a 2 */
        memcpy(codes + i, &valid, 8);
    }
    s.w = (tern_ternary_matrix){codes, rows, cols, cols / 4, 1, TERN_ROWS};
    s.a = (tern_activations){allocate(tokens * cols), allocate(tokens * 4), allocate(tokens * 4), cols};
    for (int64_t i = 0; i < tokens * cols; i++) {
        s.a.values[i] = (int8_t)random_below(256);
    }
    for (int64_t t = 0; t < tokens; t++) {
        s.a.scales[t] = 1;
        s.a.sums[t] = 0;
    }
    s.y = allocate(tokens * rows * 4);
    char name[64];
    snprintf(name, sizeof name, "ternary_matmul %lldx%lld, %lld token%s", (long long)rows, (long long)cols,
             (long long)tokens, tokens == 1 ? "" : "s");
    bench((row){name, run_ternary, &s, (double)bytes, 2.0 * (double)(rows * cols * tokens)});
    free(codes);
    free(s.a.values);
    free(s.a.scales);
    free(s.a.sums);
    free(s.y);
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
    bench((row){name, run_float, &s, (double)bytes, 2.0 * (double)(rows * cols * tokens)});
    free((void *)s.w.values);
    free(s.x);
    free(s.y);
}

typedef struct attention_state {
    tern_kv_layer kv;
    float *q;
    float *scores;
    float *out;
    int64_t position;
} attention_state;

enum { HEADS = 20, KV_HEADS = 5, HEAD_DIM = 128 };

static void run_attention(const tern_kernels *kernels, void *state, int64_t repetition) {
    const attention_state *s = state;
    (void)repetition;
    kernels->attention(&s->kv, s->q, HEADS * HEAD_DIM, HEADS, s->position, 0, HEADS, 0.088388f, s->scores, s->out,
                       HEADS * HEAD_DIM);
}

static void bench_attention(int32_t type, int64_t length) {
    const int64_t elements = KV_HEADS * length * HEAD_DIM;
    const int64_t bytes = elements * (int64_t)size_of_type(type);
    attention_state s = {{allocate(bytes), allocate(bytes), KV_HEADS, length, HEAD_DIM, type},
                         allocate(HEADS * HEAD_DIM * 4),
                         allocate(length * 4),
                         allocate(HEADS * HEAD_DIM * 4),
                         length - 1};
    fill_typed(s.kv.keys, type, elements, FILL_UNIFORM);
    fill_typed(s.kv.values, type, elements, FILL_UNIFORM);
    fill_floats(s.q, HEADS * HEAD_DIM, FILL_UNIFORM);
    char name[64];
    snprintf(name, sizeof name, "attention %s 20/5 heads of 128, length %lld", type == TERN_F16 ? "f16" : "f32",
             (long long)length);
    bench((row){name, run_attention, &s, 2.0 * (double)bytes, 4.0 * (double)(HEADS * HEAD_DIM * length)});
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
    bench((row){name, run_quantize, &s, 4.0 * (double)n, 2.0 * (double)n});
    snprintf(name, sizeof name, "rms_norm %lld", (long long)n);
    bench((row){name, run_norm, &s, 4.0 * (double)n, 4.0 * (double)n});
    snprintf(name, sizeof name, "relu_squared_gate %lld", (long long)n);
    bench((row){name, run_relu, &s, 8.0 * (double)n, 3.0 * (double)n});
    snprintf(name, sizeof name, "silu_gate %lld", (long long)n);
    bench((row){name, run_silu, &s, 8.0 * (double)n, 20.0 * (double)n});
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
    static const int64_t token_counts[] = {1, 8, 128};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 4; j++) {
            bench_ternary(shapes[j][0], shapes[j][1], token_counts[i]);
        }
    }
    for (int32_t type = TERN_F32; type <= TERN_Q6_K; type++) {
        for (int64_t tokens = 1; tokens <= 8; tokens *= 2) {
            bench_float(type, tokens);
        }
    }
    for (int32_t type = TERN_F32; type <= TERN_F16; type++) {
        bench_attention(type, 128);
        bench_attention(type, 2048);
    }
    bench_vectors(2560);
    bench_vectors(6912);
    return 0;
}
