/*
 * bitnet_cpp_tables.h: where the entries of a table lie. First the low bytes of its int16 entries, then, from *_HIGH
 * on, the high ones; *_TABLE bytes from one table to the next.
 *
 * bitnet.cpp's work buffer has 11 bytes a column and 16 more for TL2, 15 a column and 8 more for TL1. A table of
 * triples takes 32 for 3 columns; one of pairs may not take 32 for 2. It has but 9 entries, so planes of 10 bytes do.
 * The 16 bytes that are read at a time run into the next plane, and behind the last table 6 bytes into what is to
 * spare: no index points there.
 */
enum { LUT_TRIPLE_TABLE = 32, LUT_TRIPLE_HIGH = 16, LUT_PAIR_TABLE = 20, LUT_PAIR_HIGH = 10 };
