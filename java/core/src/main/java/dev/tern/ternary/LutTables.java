package dev.tern.ternary;

/**
 * From bytes of TL1 and TL2 to the codes T+1 of the columns they hold, and back. A nibble of a triple (w0, w1, w2) is
 * |9 w0 + 3 w1 + w2|, its sign a bit elsewhere; a nibble of a pair (w0, w1) is 3 w0 + w1 + 4. Of two nibbles in a byte
 * the higher is that of the lower columns. Codes lie one a byte, lowest column first.
 */
final class LutTables {
    /** Largest index of a triple, and of a pair. */
    static final int MAX_TRIPLE = 13;

    static final int MAX_PAIR = 8;

    /** Signs of a byte's two triples: the first one's at bit 2, the second one's at bit 0. */
    static final int SIGNS = 0b101;

    private static final long[] TRIPLES = triples();
    private static final int[] PAIRS = pairs();
    private static final int[] ENCODED_TRIPLES = encodedTriples();

    private LutTables() {}

    /**
     * Six codes in the lower bytes of a long, negative when an index is invalid. The sign of an index 0 means nothing.
     *
     * @param signs some of {@link #SIGNS}
     */
    static long sixCodes(int indices, int signs) {
        return TRIPLES[signs << 8 | indices];
    }

    /** Four codes, negative when an index is invalid. */
    static int fourCodes(int indices) {
        return PAIRS[indices];
    }

    /**
     * The two triples in the lower six of eight ternary values: their index byte in bits 7:0, their signs in bit 31
     * (the first one's) and bit 29.
     */
    static int triples(long values) {
        // In byte i of the product: u[i] + 3 u[i-1] + 9 u[i-2], at most 26, so that no byte carries into the next.
        long products = codes(values) * 0x09_03_01L;
        return ENCODED_TRIPLES[(int) (products >>> 16 & 31 | products >>> 40 - 5 & 31 << 5)];
    }

    /** The same for values whose first two of eight are to be left out. */
    static int lateTriples(long values) {
        return triples(values >>> 16);
    }

    /** The index byte of the two pairs in four ternary values. */
    static int pairs(int values) {
        int codes = (values & 0x0303_0303) + 0x0101_0101 & 0x0303_0303;
        int products = codes * 0x03_01; // in byte i: u[i] + 3 u[i-1], at most 8
        return products >>> 8 - 4 & 0xF0 | products >>> 24;
    }

    /** T+1 of eight ternary values: of their low two bits (3, 0, 1) the sum with 1, modulo 4. */
    private static long codes(long values) {
        return (values & 0x0303_0303_0303_0303L) + 0x0101_0101_0101_0101L & 0x0303_0303_0303_0303L;
    }

    private static long[] triples() {
        long[] table = new long[SIGNS + 1 << 8];
        for (int at = 0; at < table.length; at++) {
            int first = at >> 4 & 15;
            int second = at & 15;
            long codes = threeCodes(first, at >> 10 & 1) | threeCodes(second, at >> 8 & 1) << 24;
            table[at] = first > MAX_TRIPLE || second > MAX_TRIPLE ? codes | Long.MIN_VALUE : codes;
        }
        return table;
    }

    private static long threeCodes(int index, int sign) {
        int sum = (sign == 0 ? index : -index) + 13;
        return sum / 9 % 3 | sum / 3 % 3 << 8 | sum % 3 << 16;
    }

    private static int[] pairs() {
        int[] table = new int[256];
        for (int at = 0; at < table.length; at++) {
            int first = at >> 4;
            int second = at & 15;
            int codes = first / 3 % 3 | first % 3 << 8 | second / 3 % 3 << 16 | second % 3 << 24;
            table[at] = first > MAX_PAIR || second > MAX_PAIR ? codes | Integer.MIN_VALUE : codes;
        }
        return table;
    }

    /** By 9 u0 + 3 u1 + u2 of the first triple and, times 32, of the second. */
    private static int[] encodedTriples() {
        int[] table = new int[1 << 10];
        for (int at = 0; at < table.length; at++) {
            int first = (at & 31) - 13;
            int second = (at >> 5) - 13;
            int signs = (first < 0 ? 1 << 31 : 0) | (second < 0 ? 1 << 29 : 0);
            table[at] = signs | (Math.abs(first) & 15) << 4 | Math.abs(second) & 15;
        }
        return table;
    }
}
