/*
 * ggml.h: stands in for bitnet.cpp's in bitnet_cpp_test.cpp: the names that a header of kernels uses.
 */
#ifndef TERN_TEST_GGML_H
#define TERN_TEST_GGML_H

#include <stddef.h>
#include <stdint.h>

enum ggml_type { GGML_TYPE_F32 = 0, GGML_TYPE_Q4_0 = 2, GGML_TYPE_TL1 = 38, GGML_TYPE_TL2 = 39 };

enum ggml_backend_type { GGML_BACKEND_TYPE_CPU = 0, GGML_BACKEND_TYPE_GPU = 10 };

struct ggml_tensor {
    enum ggml_type type;
    __attribute__((deprecated)) enum ggml_backend_type backend;
    int64_t ne[4]; /* columns first */
    void *extra;
    void *data;
};

#endif /* TERN_TEST_GGML_H */
