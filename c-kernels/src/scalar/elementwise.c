/*
 * elementwise.c, scalar: the gates of the feed-forward block and the residual addition.
 */
#include "floats.h"
#include "tiers.h"

void tern_scalar_relu_squared_gate(const float *gate, const float *up, float *out, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const float g = gate[i] > 0 ? gate[i] : 0;
        out[i] = g * g * up[i];
    }
}

void tern_scalar_silu_gate(const float *gate, const float *up, float *out, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        out[i] = gate[i] / (1.0f + exp_of(-gate[i])) * up[i];
    }
}

void tern_scalar_add(float *x, const float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        x[i] += y[i];
    }
}
