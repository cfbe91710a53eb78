/*
 * reference_test.c: the scalar definition against independent arithmetic.
 *
 * The other tiers are compared with scalar to the bit; here scalar itself is compared with plain loops in double and
 * int64, with libm, and with values worked out by hand.
 */
#include "check.h"
#include "scalar/floats.h"
#include "ternary_case.h"

#include <stdlib.h>

static const tern_kernels *kernels;

static void test_f16_widening(void) {
    for (int half = 0; half < 65536; half++) {
        const float widened = float_of_f16((uint16_t)half);
        const double expected = double_of_f16((uint16_t)half);
        CHECK(isnan(expected) ? isnan(widened) : (double)widened == expected && !signbit(widened) == !(half & 0x8000),
              "F16 %04x widens to %g", (unsigned)half, (double)widened);
        if (!isnan(expected)) {
            CHECK(f16_of_float(widened) == half, "F16 %04x does not survive the way to float and back", (unsigned)half);
        }
    }
}

/* Around every F16 value: the value, the tie to its successor, and the floats on both sides of the tie. */
static void test_f16_narrowing(void) {
    for (int half = 0; half < 0x7c00; half++) {
        const double low = double_of_f16((uint16_t)half);
        const double high = half == 0x7bff ? 65536.0 : double_of_f16((uint16_t)(half + 1));
        const float tie = (float)((low + high) / 2); /* exact: one bit more than an F16 */
        const int even = half + (half & 1);
        const struct {
            float value;
            int expected;
        } cases[] = {
            {(float)low, half}, {tie, even}, {nextafterf(tie, 0), half}, {nextafterf(tie, INFINITY), half + 1}};
        for (int i = 0; i < 4; i++) {
            CHECK(f16_of_float(cases[i].value) == cases[i].expected, "%a narrows to %04x, expected %04x",
                  (double)cases[i].value, (unsigned)f16_of_float(cases[i].value), (unsigned)cases[i].expected);
            CHECK(f16_of_float(-cases[i].value) == (cases[i].expected | 0x8000), "%a narrows wrongly",
                  -(double)cases[i].value);
        }
    }
    CHECK(f16_of_float(INFINITY) == 0x7c00 && f16_of_float(1e30f) == 0x7c00 && f16_of_float(-INFINITY) == 0xfc00,
          "infinities narrow wrongly");
    CHECK((f16_of_float(NAN) & 0x7fff) > 0x7c00, "a NaN narrows to a number");
    CHECK(f16_of_float(0x1p-26f) == 0 && f16_of_float(0x1p-149f) == 0, "tiny floats narrow to something");
}

static void test_exp(void) {
    double worst = 0;
    for (float x = -86.999f; x < 88.0f; x += 0.000731f) {
        const double expected = exp((double)x);
        const double error = fabs((double)exp_of(x) - expected) / expected;
        worst = error > worst ? error : worst;
    }
    CHECK(worst < 2e-7, "exp is off by %g, relative", worst);
    CHECK(exp_of(0.0f) == 1.0f && exp_of(-0.0f) == 1.0f, "exp(0) is not 1");
    CHECK(exp_of(-87.0f) == 0.0f && exp_of(-INFINITY) == 0.0f && exp_of(NAN) == 0.0f, "exp below its range is not 0");
    CHECK(exp_of(nextafterf(-87.0f, 0)) >= 0x1p-126f, "exp just above -87 is not a normal number");
    CHECK(exp_of(89.0f) == exp_of(88.0f) && exp_of(INFINITY) == exp_of(88.0f) && isfinite(exp_of(88.0f)),
          "exp above 88 is not exp(88)");
}

/* Lane by lane on numbers where most other orders give another result; 50 times, for a single one may coincide. */
static void test_lane_order(void) {
    enum { N = 77 };
    for (int repetition = 0; repetition < 50; repetition++) {
        float w[N];
        float x[N];
        float sums[32] = {0};
        for (int i = 0; i < N; i++) {
            w[i] = random_uniform() * (float)pow(10, (double)random_below(6));
            x[i] = random_uniform();
        }
        for (int i = 0; i < N; i++) {
            sums[i % 32] = fmaf(w[i], x[i], sums[i % 32]);
        }
        for (int width = 32; width > 1; width /= 2) {
            for (int j = 0; j < width / 2; j++) {
                sums[j] = sums[j] + sums[j + width / 2];
            }
        }
        const tern_float_matrix m = {w, 1, N, N, TERN_F32};
        float y;
        kernels->float_matmul(&m, x, N, 1, 0, 1, &y, 1);
        CHECK(y == sums[0], "a sum in 32 lanes is %a, expected %a", (double)y, (double)sums[0]);
    }
}

/* A lane may hold -0, after an underflow of negative products. The zeros that fill up the last group turn it into +0.
 */
static void test_filling(void) {
    lanes sum;
    lanes_clear(&sum);
    for (int i = 0; i < 40; i++) {
        lanes_add_product(&sum, i, -1e-30f, 1e-30f);
    }
    for (int j = 0; j < 32; j++) {
        CHECK(sum.lane[j] == 0 && signbit(sum.lane[j]), "lane %d is not -0 after an underflow", j);
    }
    lanes_fill(&sum, 40);
    for (int j = 0; j < 32; j++) {
        CHECK(!signbit(sum.lane[j]) == (j >= 8), "lane %d is %a after the filling", j, (double)sum.lane[j]);
    }
    lanes_fill(&sum, 64);
    CHECK(signbit(sum.lane[7]), "a whole group was filled");
    /* In a kernel: 32 elements leave all lanes and the sum at -0; 33 have the filling take part, and the sum is +0. */
    float w[33];
    float x[33];
    for (int i = 0; i < 33; i++) {
        w[i] = -1e-30f;
        x[i] = 1e-30f;
    }
    for (int64_t n = 32; n <= 33; n++) {
        const tern_float_matrix m = {w, 1, n, n, TERN_F32};
        float y;
        kernels->float_matmul(&m, x, n, 1, 0, 1, &y, 1);
        CHECK(y == 0 && !signbit(y) == (n == 33), "a sum of %lld negative underflows is %a", (long long)n, (double)y);
    }
}

/* Every element of random blocks is, exactly, what a formula in double says; rows begin where the stride says. */
static void test_blocks(void) {
    enum { COLS = 512, STRIDE = 768 };
    for (int32_t type = TERN_Q8_0; type <= TERN_Q6_K; type++) {
        uint8_t values[2 * STRIDE * 2];
        fill_typed(values, type, 2 * STRIDE, FILL_UNIFORM);
        const tern_float_matrix m = {values, 2, COLS, STRIDE, type};
        float y[COLS];
        kernels->float_row(&m, 1, y);
        for (int i = 0; i < COLS; i++) {
            const double expected = double_of_typed(values, type, STRIDE + i);
            CHECK((double)y[i] == expected, "type %d, element %d is %a, expected %a", type, i, (double)y[i], expected);
        }
    }
}

static void test_quantize(void) {
    /* m = 127: 1/127 rounds so that r = (1/127) * 127 is 1 - 2^-24 or 1; the ties of 2.5, 3.5 … are decided after x *
     * r. */
    const float x[] = {127, -127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 126.5f, 0, -0.0f, 3.49f, NAN};
    enum { N = sizeof x / sizeof x[0] };
    int8_t values[128];
    float r;
    int32_t sum;
    const tern_activations a = {values, &r, &sum, 128};
    kernels->quantize(x, N, N, 0, 1, &a);
    CHECK(r == 1.0f / 127.0f * 127.0f, "r is %a", (double)r);
    int32_t expected_sum = 0;
    for (int i = 0; i < N; i++) {
        const int expected = isnan(x[i]) ? -128 : (int)nearbyint((double)(x[i] * r)); /* the product rounds to float */
        CHECK(values[i] == expected, "%g is quantized to %d, expected %d", (double)x[i], values[i], expected);
        expected_sum += expected;
    }
    for (int i = N; i < 128; i++) {
        CHECK(values[i] == 0, "padding is not zero");
    }
    CHECK(sum == expected_sum, "the sum is %d, expected %d", sum, expected_sum);

    const float ties[] = {1, 63.5f / 127, -63.5f / 127,
                          0.5f / 127}; /* m = 1: r = 127 exactly, and 63.5, 0.5 are ties */
    kernels->quantize(ties, 4, 4, 0, 1, &a);
    CHECK(r == 127 && values[0] == 127 && values[1] == 64 && values[2] == -64 && values[3] == 0,
          "ties go to %d %d %d, expected 64 -64 0", values[1], values[2], values[3]);

    /* (1 / m) * 127 in two roundings, which 127 / m is not. */
    int different = 0;
    for (int m = 1; m <= 100; m++) {
        const float largest = (float)m;
        kernels->quantize(&largest, 1, 1, 0, 1, &a);
        const double reciprocal = (double)(float)(1.0 / m); /* a double quotient or product of floats rounds the same */
        CHECK((double)r == (double)(float)(reciprocal * 127), "r for %d is %a", m, (double)r);
        different += r != (float)(127.0 / m);
    }
    CHECK(different > 10, "one rounding cannot be told from two");

    const float zeros[3] = {0, -0.0f, 1e-12f};
    kernels->quantize(zeros, 3, 3, 0, 1, &a);
    CHECK(r == 1.0f / 1e-5f * 127.0f && values[0] == 0 && values[2] == 0 && sum == 0,
          "zeros are not quantized to zeros");

    const float infinite[3] = {INFINITY, 1, -INFINITY}; /* r = 0; inf * 0 is a NaN */
    kernels->quantize(infinite, 3, 3, 0, 1, &a);
    CHECK(r == 0 && values[0] == -128 && values[1] == 0 && values[2] == -128, "infinities are quantized wrongly");
}

static void test_ternary_matmul(void) {
    for (int64_t cols = 1; cols < 700; cols += 37) {
        int8_t *t = malloc((size_t)cols);
        uint8_t *codes = malloc((size_t)(padded_columns(cols) / 4));
        int8_t *a = calloc((size_t)padded_columns(cols), 1);
        int64_t dot = 0;
        int32_t sum = 0;
        for (int64_t c = 0; c < cols; c++) {
            t[c] = (int8_t)(random_below(3) - 1);
            a[c] = (int8_t)random_below(256);
            dot += (int64_t)t[c] * a[c];
            sum += a[c];
        }
        pack_row(t, cols, codes);
        float r = 1.7f;
        const tern_ternary_matrix w = {codes, 1, cols, padded_columns(cols) / 4, 0.37f, TERN_ROWS};
        const tern_activations activations = {a, &r, &sum, padded_columns(cols)};
        float y;
        kernels->ternary_matmul(&w, &activations, 1, 0, 1, &y, 1);
        const float quotient = 0.37f / 1.7f;
        CHECK(y == (float)dot * quotient, "a ternary row of %lld is %a, expected %lld * %a", (long long)cols, (double)y,
              (long long)dot, (double)quotient);
        free(t);
        free(codes);
        free(a);
    }
}

static void test_norm(void) {
    enum { N = 100 };
    float x[N];
    float weight[N];
    float y[N];
    fill_floats(x, N, FILL_UNIFORM);
    fill_floats(weight, N, FILL_UNIFORM);
    double squares = 0;
    for (int i = 0; i < N; i++) {
        squares += (double)x[i] * (double)x[i];
    }
    kernels->rms_norm(x, N, weight, 1e-5f, N, 0, 1, y, N);
    for (int i = 0; i < N; i++) {
        const double expected = (double)x[i] / sqrt(squares / N + 1e-5) * (double)weight[i];
        CHECK(fabs((double)y[i] - expected) < 1e-6, "rms_norm: %g, expected %g", (double)y[i], expected);
    }
}

/* With one column the sum is x * x, and every rounding can be followed. */
static void test_norm_order(void) {
    for (int i = 0; i < 200; i++) {
        const float x = random_uniform();
        const float weight = random_uniform();
        const float eps = 1e-5f;
        const float root = sqrtf(x * x + eps);
        const float f = 1.0f / root;
        const float scaled = x * f;
        float y;
        kernels->rms_norm(&x, 1, &weight, eps, 1, 0, 1, &y, 1);
        CHECK(y == scaled * weight, "rms_norm of %a is %a, expected %a", (double)x, (double)y,
              (double)(scaled * weight));
    }
}

static void test_rope(void) {
    enum { DIMS = 8, HEAD = 10 };
    const int pairs = DIMS / 2;
    float cosines[2 * DIMS / 2];
    float sines[2 * DIMS / 2];
    for (int i = 0; i < 2 * pairs; i++) {
        const double angle = i / pairs * pow(10000, -2.0 * (i % pairs) / DIMS);
        cosines[i] = (float)cos(angle);
        sines[i] = (float)sin(angle);
    }
    for (int32_t pairing = 0; pairing < 2; pairing++) {
        float x[HEAD];
        float before[HEAD];
        for (int i = 0; i < HEAD; i++) {
            x[i] = before[i] = random_uniform();
        }
        const tern_rope rope = {cosines, sines, DIMS, pairing};
        kernels->rope(x, HEAD, 1, HEAD, &rope, 1, 0, 1);
        for (int i = 0; i < pairs; i++) {
            const int first = pairing == TERN_ROPE_HALVES ? i : 2 * i;
            const int second = pairing == TERN_ROPE_HALVES ? i + pairs : 2 * i + 1;
            const double angle = pow(10000, -2.0 * i / DIMS);
            const double re = (double)before[first] * cos(angle) - (double)before[second] * sin(angle);
            const double im = (double)before[first] * sin(angle) + (double)before[second] * cos(angle);
            CHECK(fabs((double)x[first] - re) < 1e-6 && fabs((double)x[second] - im) < 1e-6,
                  "rope: pair %d, pairing %d", i, pairing);
        }
        CHECK(x[8] == before[8] && x[9] == before[9], "rope changed what it must leave alone");
    }
}

/* Two tokens, four heads in two groups, both cache types, against softmax and sums in double. */
static void test_attention(void) {
    enum { DIM = 24, HEADS = 4, KV = 2, CAPACITY = 12, POSITION = 7, TOKENS = 2 };
    for (int32_t type = TERN_F32; type <= TERN_F16; type++) {
        float keys[KV * CAPACITY * DIM];
        float values[KV * CAPACITY * DIM];
        fill_typed(keys, type, KV * CAPACITY * DIM, FILL_UNIFORM);
        fill_typed(values, type, KV * CAPACITY * DIM, FILL_UNIFORM);
        float q[TOKENS * HEADS * DIM];
        fill_floats(q, TOKENS * HEADS * DIM, FILL_UNIFORM);
        const tern_kv_layer kv = {keys, values, KV, CAPACITY, DIM, type};
        float scores[TERN_ATTENTION_SCORES(TOKENS * HEADS, CAPACITY)];
        float out[TOKENS * HEADS * DIM];
        const float scale = 0.7f;
        kernels->attention(&kv, q, HEADS * DIM, HEADS, POSITION, 0, TOKENS * HEADS, scale, scores, out, HEADS * DIM);
        for (int item = 0; item < TOKENS * HEADS; item++) {
            const int length = POSITION + item / HEADS + 1;
            const int cache_head = item % HEADS / (HEADS / KV) * CAPACITY * DIM;
            double weights[CAPACITY];
            double total = 0;
            for (int p = 0; p < length; p++) {
                double dot = 0;
                for (int d = 0; d < DIM; d++) {
                    dot += (double)q[item * DIM + d] * double_of_typed(keys, type, cache_head + p * DIM + d);
                }
                weights[p] = exp(dot * (double)scale);
                total += weights[p];
            }
            for (int d = 0; d < DIM; d++) {
                double expected = 0;
                for (int p = 0; p < length; p++) {
                    expected += weights[p] / total * double_of_typed(values, type, cache_head + p * DIM + d);
                }
                CHECK(fabs((double)out[item * DIM + d] - expected) < 2e-6,
                      "attention: item %d, element %d: %g, expected %g", item, d, (double)out[item * DIM + d],
                      expected);
            }
        }
    }
}

static void test_store_kv(void) {
    enum { DIM = 3, HEADS = 2, CAPACITY = 4 };
    float keys[HEADS * CAPACITY * DIM] = {0};
    float values[HEADS * CAPACITY * DIM] = {0};
    const tern_kv_layer kv = {keys, values, HEADS, CAPACITY, DIM, TERN_F32};
    float k[2 * 7];
    float v[2 * 7];
    for (int i = 0; i < 14; i++) {
        k[i] = (float)i + 1;
        v[i] = -(float)i - 1;
    }
    kernels->store_kv(&kv, k, v, 7, 1, 0, 2);
    for (int h = 0; h < HEADS; h++) {
        for (int p = 0; p < CAPACITY; p++) {
            for (int d = 0; d < DIM; d++) {
                const float expected = p == 1 || p == 2 ? (float)((p - 1) * 7 + h * DIM + d) + 1 : 0;
                CHECK(keys[(h * CAPACITY + p) * DIM + d] == expected &&
                          values[(h * CAPACITY + p) * DIM + d] == -expected,
                      "store_kv: head %d, position %d, element %d", h, p, d);
            }
        }
    }
}

static void test_elementwise(void) {
    const float gate[] = {2, -2, 0, -0.0f, NAN, -200, 200, INFINITY};
    const float up[] = {3, 3, 3, 3, 3, 3, 3, 3};
    const float squared[] = {12, 0, 0, 0, 0, 0, 120000, INFINITY};
    float out[8];
    kernels->relu_squared_gate(gate, up, out, 8);
    for (int i = 0; i < 8; i++) {
        CHECK(out[i] == squared[i], "relu_squared_gate(%g) = %g", (double)gate[i], (double)out[i]);
    }
    kernels->silu_gate(gate, up, out, 8);
    for (int i = 0; i < 8; i++) {
        const double x = (double)gate[i];
        const double expected = x / (1 + exp(-x)) * 3;
        CHECK(isnan(x) ? isnan(out[i]) : (double)out[i] == expected || fabs((double)out[i] - expected) < 2e-6,
              "silu_gate(%g) = %g, expected %g", x, (double)out[i], expected);
    }
    float x[3] = {1, 2, 3};
    kernels->add(x, (const float[]){10, 20, 30}, 2);
    CHECK(x[0] == 11 && x[1] == 22 && x[2] == 3, "add");
}

static void test_softmax(void) {
    float x[5] = {1, 2, 3, -INFINITY, 80};
    double total = 0;
    double expected[5];
    for (int i = 0; i < 5; i++) {
        expected[i] = exp((double)x[i] - 80);
        total += expected[i];
    }
    kernels->softmax(x, 5);
    for (int i = 0; i < 5; i++) {
        CHECK(fabs((double)x[i] - expected[i] / total) < 1e-7, "softmax: %g, expected %g", (double)x[i],
              expected[i] / total);
    }
    float one[1] = {-1e30f};
    kernels->softmax(one, 1);
    CHECK(one[0] == 1, "softmax of one element is %g", (double)one[0]);
}

int main(void) {
    kernels = tern_kernels_of(TERN_TIER_SCALAR);
    seed_random(7);
    test_f16_widening();
    test_f16_narrowing();
    test_exp();
    test_lane_order();
    test_filling();
    test_blocks();
    test_quantize();
    test_ternary_matmul();
    test_norm();
    test_norm_order();
    test_rope();
    test_attention();
    test_store_kv();
    test_elementwise();
    test_softmax();
    printf("%d failures\n", failures());
    return failures() == 0 ? 0 : 1;
}
