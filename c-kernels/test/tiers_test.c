/*
 * tiers_test.c: every kernel of every tier against the scalar definition, to the bit.
 *
 * The program is made from the kernel table: each kernel must have a check, or it does not link. A check gets the
 * scalar kernels and those of a tier; with the scalar tier itself it still looks for reads past an end (guard pages)
 * and for writes outside of the range that was asked for.
 */
#include "check.h"

#include <string.h>

#define DECLARE_CHECK(name, result, parameters) void check_##name(const tern_kernels *scalar, const tern_kernels *tier);
TERN_KERNEL_TABLE(DECLARE_CHECK)
void check_far_offsets(const tern_kernels *scalar, const tern_kernels *tier);

typedef struct named_check {
    const char *name;
    void (*run)(const tern_kernels *scalar, const tern_kernels *tier);
} named_check;

static const named_check checks[] = {
#define LIST_CHECK(name, result, parameters) {#name, check_##name},
    TERN_KERNEL_TABLE(LIST_CHECK){"offsets beyond 2 GiB", check_far_offsets}};

/* Exit status that ctest counts as skipped. */
enum { SKIPPED = 77 };

int main(int argc, char **argv) {
    if (argc < 2) {
        puts("usage: tern_tiers_test TIER [KERNEL]");
        return 2;
    }
    int32_t tier = 0;
    while (tern_tier_name(tier) != NULL && strcmp(tern_tier_name(tier), argv[1]) != 0) {
        tier++;
    }
    if (tern_tier_name(tier) == NULL) {
        printf("unknown tier %s\n", argv[1]);
        return 2;
    }
    if (tern_tier_obstacle(tier) != NULL) {
        printf("skipped %s: %s\n", argv[1], tern_tier_obstacle(tier));
        return SKIPPED;
    }
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (argc > 2 && strcmp(argv[2], checks[i].name) != 0) {
            continue;
        }
        seed_random(i + 1);
        const int before = failures();
        checks[i].run(tern_kernels_of(TERN_TIER_SCALAR), tern_kernels_of(tier));
        printf("%s %s: %s\n", argv[1], checks[i].name, failures() == before ? "ok" : "FAILED");
        fflush(stdout);
    }
    return failures() == 0 ? 0 : 1;
}
