package dev.tern.sampling;

/**
 * SplitMix64 (Steele, Lea, Flood 2014), written out so that a seed means the same tokens for as long as Tern exists:
 * state += 0x9e3779b97f4a7c15; z = state; z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9; z = (z ^ z >>> 27) *
 * 0x94d049bb133111eb; the result is z ^ z >>> 31.
 */
final class SplitMix {
    private long state;

    SplitMix(long seed) {
        state = seed;
    }

    long nextLong() {
        state += 0x9e3779b97f4a7c15L;
        long z = state;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    /** Uniform in [0, 1), a multiple of 2^-53. */
    double nextDouble() {
        return (nextLong() >>> 11) * 0x1p-53;
    }
}
