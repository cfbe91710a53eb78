/*
 * tables.h: where the entries of a table lie. First the low bytes of its int16 entries, then, from *_HIGH on, the high
 * ones; *_TABLE bytes from one table to the next. 16 bytes are read at a time.
 */
enum { LUT_TRIPLE_TABLE = 32, LUT_TRIPLE_HIGH = 16, LUT_PAIR_TABLE = 32, LUT_PAIR_HIGH = 16 };
