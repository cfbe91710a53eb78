package dev.tern.tokenizer;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/** A seeded multiply-and-fold hash, eight bytes a step. The seed keeps a crafted vocabulary from colliding on purpose. */
final class Hash {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long MULTIPLIER = 0x9E3779B97F4A7C15L;

    private Hash() {}

    /** Another one each time. (The JDK's default generator is looked for in every module: not for so little.) */
    static long seed() {
        return new SplittableRandom().nextLong();
    }

    static long of(byte[] bytes, int from, int to, long seed) {
        long h = seed ^ (to - from);
        int at = from;
        for (; at + 8 <= to; at += 8) {
            h = mix(h ^ (long) LONG.get(bytes, at));
        }
        long tail = 0;
        for (int i = to - 1; i >= at; i--) {
            tail = tail << 8 | bytes[i] & 0xFF;
        }
        return mix(h ^ tail);
    }

    static long of(long key, long seed) {
        return mix(key ^ seed);
    }

    private static long mix(long x) {
        return Math.unsignedMultiplyHigh(x, MULTIPLIER) ^ x * MULTIPLIER;
    }
}
