/*
 * mixed_panels.h: the numbers of TERN_PANELS_MIXED and where its groups lie, as tern_kernels.h says.
 */
#ifndef TERN_MIXED_PANELS_H
#define TERN_MIXED_PANELS_H

#include "tern_kernels.h"

enum {
    MIXED_COLUMNS = 25,  /* of a group */
    MIXED_BITS = 16,     /* of them in two bits; then come the trits */
    MIXED_BYTES = 192,   /* of a panel's group */
    MIXED_WORDS_AT = 128 /* byte of a group where the trits begin */
};

enum { MIXED_WINDOW_GROUPS = 14, MIXED_WINDOW_COLUMNS = MIXED_WINDOW_GROUPS * MIXED_COLUMNS };

/* Groups of a row. */
static inline int64_t mixed_groups(int64_t cols) {
    return (cols + MIXED_COLUMNS - 1) / MIXED_COLUMNS;
}

/* Groups of the window that begins with group `first`. */
static inline int64_t mixed_window_groups(int64_t cols, int64_t first) {
    const int64_t left = mixed_groups(cols) - first;
    return left < MIXED_WINDOW_GROUPS ? left : MIXED_WINDOW_GROUPS;
}

/* Byte where the groups of a panel begin in the window that begins with group `first`. */
static inline int64_t mixed_panel_at(int64_t rows, int64_t cols, int64_t first, int64_t panel) {
    const int64_t panels = (rows + TERN_PANEL_ROWS - 1) / TERN_PANEL_ROWS;
    return (first * panels + panel * mixed_window_groups(cols, first)) * MIXED_BYTES;
}

/* Byte where a group of a panel begins. */
static inline int64_t mixed_group_at(int64_t rows, int64_t cols, int64_t group, int64_t panel) {
    const int64_t first = group / MIXED_WINDOW_GROUPS * MIXED_WINDOW_GROUPS;
    return mixed_panel_at(rows, cols, first, panel) + (group - first) * MIXED_BYTES;
}

/* Byte within a group of the word of a panel's row r. */
static inline int64_t mixed_word_at(int64_t r) {
    return MIXED_WORDS_AT + 2 * (r < 16 ? 2 * r : 2 * (r - 16) + 1);
}

#endif /* TERN_MIXED_PANELS_H */
