/*
 * abi_test.c: the layout that bindings of other languages rely on, and, as a program linked with libtern itself, the
 * hash that it carries. `tern_abi_test` prints the hash; abi.cmake compares it with the header's.
 */
#include "tern_kernels.h"

#include <stddef.h>
#include <stdio.h>

#define ASSERT_AT(type, member, offset) _Static_assert(offsetof(type, member) == (offset), #type "." #member)

_Static_assert(sizeof(void *) == 8, "the bindings assume 64-bit addresses");
_Static_assert(sizeof(tern_ternary_matrix) == 40, "tern_ternary_matrix");
ASSERT_AT(tern_ternary_matrix, stride, 24);
ASSERT_AT(tern_ternary_matrix, scale, 32);
_Static_assert(sizeof(tern_activations) == 32, "tern_activations");
_Static_assert(sizeof(tern_float_matrix) == 40, "tern_float_matrix");
ASSERT_AT(tern_float_matrix, type, 32);
_Static_assert(sizeof(tern_rope) == 32, "tern_rope");
ASSERT_AT(tern_rope, pairing, 24);
_Static_assert(sizeof(tern_kv_layer) == 48, "tern_kv_layer");
ASSERT_AT(tern_kv_layer, type, 40);

/* Kernel number i of the table lies at 8 * (i + 1). */
enum {
#define NUMBER(name, result, parameters) NUMBER_##name,
    TERN_KERNEL_TABLE(NUMBER) NUMBER_OF_KERNELS
};
#define ASSERT_SLOT(name, result, parameters) ASSERT_AT(tern_kernels, name, 8 * (NUMBER_##name + 1));
TERN_KERNEL_TABLE(ASSERT_SLOT)
_Static_assert(sizeof(tern_kernels) == 8 * (NUMBER_OF_KERNELS + 1), "tern_kernels");

/* Of the look-up-table kernels number i lies at 8 * (i + 4). */
_Static_assert(sizeof(tern_lut_shape) == 24, "tern_lut_shape");
_Static_assert(sizeof(tern_lut_matrix) == 48, "tern_lut_matrix");
ASSERT_AT(tern_lut_matrix, shape, 8);
ASSERT_AT(tern_lut_matrix, scale, 32);
ASSERT_AT(tern_lut_matrix, kernel, 40);
_Static_assert(sizeof(tern_lut_tables) == 16, "tern_lut_tables");
enum {
#define LUT_NUMBER(name, result, parameters) LUT_NUMBER_##name,
    TERN_LUT_KERNEL_TABLE(LUT_NUMBER) NUMBER_OF_LUT_KERNELS
};
#define ASSERT_LUT_SLOT(name, result, parameters) ASSERT_AT(tern_lut_kernels, name, 8 * (LUT_NUMBER_##name + 4));
TERN_LUT_KERNEL_TABLE(ASSERT_LUT_SLOT)
_Static_assert(sizeof(tern_lut_kernels) == 8 * (NUMBER_OF_LUT_KERNELS + 4), "tern_lut_kernels");

int main(void) {
    if (tern_abi_version() != TERN_ABI_VERSION) {
        return 1;
    }
    puts(tern_abi_hash());
    return 0;
}
