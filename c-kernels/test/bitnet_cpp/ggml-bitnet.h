/*
 * ggml-bitnet.h: stands in for bitnet.cpp's in bitnet_cpp_test.cpp: what a header of kernels defines for it.
 */
#ifndef TERN_TEST_GGML_BITNET_H
#define TERN_TEST_GGML_BITNET_H

#include "ggml.h"

typedef float bitnet_float_type;

#ifdef __cplusplus
extern "C" {
#endif

struct bitnet_tensor_extra {
    int lut_scales_size;
    int BK;
    int n_tile_num;
    uint8_t *qweights;
    bitnet_float_type *scales;
};

void ggml_bitnet_init(void);
void ggml_bitnet_free(void);
void ggml_bitnet_transform_tensor(struct ggml_tensor *tensor);

#if defined(GGML_BITNET_X86_TL2)
void ggml_preprocessor(int bs, int m, int three_k, int two_k, void *B, void *LUT_Scales, void *Three_QLUT,
                       void *Two_QLUT);
void ggml_qgemm_lut(int bs, int m, int k, int BK, void *A, void *sign, void *LUT, void *Scales, void *LUT_Scales,
                    void *C);
#else
void ggml_preprocessor(int m, int k, void *B, void *LUT_Scales, void *QLUT);
void ggml_qgemm_lut(int m, int k, void *A, void *LUT, void *Scales, void *LUT_Scales, void *C);
#endif

/* The test's own: what ggml asks before it takes a tensor to these kernels. */
bool test_is_type_supported(enum ggml_type type);

#ifdef __cplusplus
}
#endif

#endif /* TERN_TEST_GGML_BITNET_H */
