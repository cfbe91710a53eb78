/*
 * kernels.cpp: the one file that includes the generated header, as in bitnet.cpp.
 */
#include "ggml-bitnet.h"

#include "bitnet-lut-kernels.h"

void ggml_bitnet_init(void) {
    if (!initialized) {
        initialized = true;
        bitnet_tensor_extras = new bitnet_tensor_extra[GGML_BITNET_MAX_NODES];
        bitnet_tensor_extras_index = 0;
    }
}

void ggml_bitnet_free(void) {
    initialized = false;
    delete[] bitnet_tensor_extras;
    bitnet_tensor_extras = nullptr;
}

bool test_is_type_supported(enum ggml_type type) {
    return is_type_supported(type);
}
