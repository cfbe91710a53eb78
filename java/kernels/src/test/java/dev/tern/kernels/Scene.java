package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.Assertions;

/**
 * Memory for one call of a kernel, the same for the same number: sizes, contents, and the misalignment of each segment.
 * Remembers all it gave out, with a few elements of margin on both sides, so that two scenes on which two
 * implementations have worked can be compared whole: results, what must be left alone, and inputs.
 */
final class Scene implements AutoCloseable {
    /** What floats are made of. */
    enum Floats {
        /** About N(0, 1). */
        PLAIN,
        /** Zeros of both signs, subnormals, the largest, and products that underflow or overflow; no infinities. */
        FINITE,
        /** Infinities too. */
        INFINITE,
        /** NaNs too. */
        ANY
    }

    private static final int MARGIN = 16;
    private static final float[] FINITE = {
        0f, -0f, 1f, -1f, Float.MIN_VALUE, -Float.MIN_VALUE, Float.MIN_NORMAL, -Float.MIN_NORMAL, Float.MAX_VALUE,
        -Float.MAX_VALUE, 1e-30f, -1e-30f, 3e-23f, -3e-23f, 1e30f, -1e30f, 65504f, 65519.996f, 65520f, 6.0e-8f, 2.9e-8f,
        2.98023224e-8f, 0.5f, 1.5f, 2.5f, -86.9f, -87f, -87.1f, 87.9f, 88f, 89f, 2049f, -2051f, 1e-5f
    };

    private final Random random;
    private final int number;
    private final Arena arena = Arena.ofConfined();
    private final List<Segment> segments = new ArrayList<>();

    /** @param whole the segment with its margins */
    private record Segment(String name, MemorySegment whole, FloatType type, boolean floats) {}

    Scene(int number) {
        this.number = number;
        this.random = new Random(number * 0x9E3779B97F4A7C15L);
    }

    SegmentAllocator allocator() {
        return arena;
    }

    /** 1, 2, 3, … with the scene's number, so that every tail is met; then at random. */
    int length() {
        return number < 300 ? number + 1 : between(1, 1500);
    }

    int between(int low, int high) {
        return low + random.nextInt(high - low + 1);
    }

    float real() {
        return (float) random.nextGaussian();
    }

    /** {@code n} floats, mostly of that kind: now and then plain ones, which no special value swallows. */
    MemorySegment floats(String name, long n, Floats kind) {
        MemorySegment whole = allocate(name, n * 4, 4, FloatType.F32, true);
        Floats mix = random.nextInt(3) == 0 ? Floats.PLAIN : kind;
        float scale = (float) Math.pow(10, between(-2, 2));
        for (long i = 0; i < whole.byteSize() / 4; i++) {
            whole.setAtIndex(JAVA_FLOAT, i, one(mix, scale));
        }
        return inner(whole);
    }

    /** Weights of a float matrix or cache. */
    MemorySegment elements(String name, long n, FloatType type, Floats kind) {
        if (type == FloatType.F32) {
            return floats(name, n, kind);
        }
        if (!type.isPlain()) {
            return blocks(name, n, type, kind);
        }
        MemorySegment whole = allocate(name, n * 2, 2, type, true);
        for (long i = 0; i < whole.byteSize() / 2; i++) {
            whole.setAtIndex(JAVA_SHORT, i, kind == Floats.ANY ? (short) random.nextInt() : narrow(real(), type));
        }
        return inner(whole);
    }

    /** Random blocks; their d is any fp16, or an ordinary number. Compared byte by byte: kernels only read them. */
    private MemorySegment blocks(String name, long n, FloatType type, Floats kind) {
        MemorySegment whole = allocate(name, type.bytes(n), 2, FloatType.F32, false);
        for (long i = 0; i < whole.byteSize(); i++) {
            whole.set(JAVA_BYTE, i, (byte) random.nextInt());
        }
        MemorySegment blocks = whole.asSlice(2L * MARGIN, whole.byteSize() - 4L * MARGIN);
        int bytes = (int) type.bytes(type.blockSize());
        for (long at = type == FloatType.Q8_0 ? 0 : bytes - 2; at < blocks.byteSize(); at += bytes) {
            short d = kind == Floats.ANY ? (short) random.nextInt() : Float.floatToFloat16(real());
            blocks.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, d);
        }
        return blocks;
    }

    /** Codes of a ternary matrix whose columns past {@code cols} are 0, as the layout demands. */
    TernaryWeights weights(int rows, int cols) {
        long rowBytes = TernaryWeights.rowBytes(cols);
        MemorySegment whole = allocate("codes", rows * rowBytes, 1, FloatType.F32, false);
        MemorySegment codes = inner(whole);
        int extreme = random.nextInt(8);
        for (int row = 0; row < rows; row++) {
            for (int c = 0; c < rowBytes * 4; c++) {
                int code = c >= cols ? 1 : extreme == 0 ? 0 : extreme == 1 ? 2 : random.nextInt(3);
                long at = row * rowBytes + c / 128 * 32 + c % 32;
                int shift = 6 - 2 * (c % 128 / 32);
                codes.set(JAVA_BYTE, at, (byte) (codes.get(JAVA_BYTE, at) & ~(3 << shift) | code << shift));
            }
        }
        return TernaryWeights.of(arena, codes, rows, cols, random.nextInt(4) == 0 ? FINITE[between(2, 12)] : real());
    }

    /** Rows of a ternary matrix as a file stores them. */
    MemorySegment encoded(String name, TernaryEncoding encoding, int rows, int cols, float scale) {
        MemorySegment blocks = inner(allocate(name, rows * encoding.rowBytes(cols), 1, FloatType.F32, false));
        EncodedRows.fill(encoding, blocks, scale, random);
        return blocks;
    }

    /** Random bytes. */
    MemorySegment bytes(String name, long n) {
        MemorySegment whole = allocate(name, n, 1, FloatType.F32, false);
        for (long i = 0; i < whole.byteSize(); i++) {
            whole.set(JAVA_BYTE, i, (byte) random.nextInt());
        }
        return inner(whole);
    }

    /** Random bytes from a multiple of 64 on. */
    MemorySegment lines(String name, long n) {
        MemorySegment whole = arena.allocate(n + 128, 64);
        segments.add(new Segment(name, whole, FloatType.F32, false));
        for (long i = 0; i < whole.byteSize(); i++) {
            whole.set(JAVA_BYTE, i, (byte) random.nextInt());
        }
        return whole.asSlice(64, n);
    }

    /** Activations filled with random bytes, as an earlier batch may have left them. */
    Activations activations(int tokens, int maxCols) {
        Activations a = Activations.allocate(arena, tokens, maxCols);
        for (long i = 0; i < a.values().byteSize(); i++) {
            a.values().set(JAVA_BYTE, i, (byte) random.nextInt());
        }
        for (int t = 0; t < tokens; t++) {
            a.scales().setAtIndex(JAVA_FLOAT, t, real());
            a.sums().setAtIndex(JAVA_INT, t, random.nextInt());
        }
        segments.add(new Segment("values", a.values(), FloatType.F32, false));
        segments.add(new Segment("scales", a.scales(), FloatType.F32, true));
        segments.add(new Segment("sums", a.sums(), FloatType.F32, false));
        return a;
    }

    /** A screen full of random codes; steps and norms of any kind. */
    Screen screen(int rows, int cols, int bits) {
        Screen screen = Screen.allocate(arena, rows, cols, bits);
        for (long i = 0; i < screen.codes().byteSize(); i++) {
            screen.codes().set(JAVA_BYTE, i, (byte) random.nextInt());
        }
        segments.add(new Segment("screen's codes", screen.codes(), FloatType.F32, false));
        filled("steps", screen.steps(), Floats.FINITE);
        filled("residuals", screen.residuals(), Floats.ANY);
        filled("norms", screen.norms(), Floats.ANY);
        return screen;
    }

    /** Room for a screen's scores, filled with what an earlier token may have left. */
    ScreenScores screenScores(int tokens, int rows) {
        ScreenScores scores = ScreenScores.allocate(arena, tokens, rows);
        filled("scores", scores.scores(), Floats.PLAIN);
        filled("uppers", scores.uppers(), Floats.PLAIN);
        filled("peaks", scores.peaks(), Floats.PLAIN);
        filled("ceilings", scores.ceilings(), Floats.PLAIN);
        return scores;
    }

    /** Room for a list of rows, of zeros. */
    ListedRows listedRows(int room) {
        ListedRows listed = ListedRows.allocate(arena, room);
        segments.add(new Segment("rows", listed.rows(), FloatType.F32, false));
        segments.add(new Segment("masks", listed.masks(), FloatType.F32, false));
        return listed;
    }

    private void filled(String name, MemorySegment floats, Floats kind) {
        for (long i = 0; i < floats.byteSize() / 4; i++) {
            floats.setAtIndex(JAVA_FLOAT, i, one(kind, 1));
        }
        segments.add(new Segment(name, floats, FloatType.F32, true));
    }

    FloatType cacheType() {
        return List.of(FloatType.F32, FloatType.F16, FloatType.Q8_0).get(between(0, 2));
    }

    /** A cache full of values that give no NaN as scores; values of any kind. */
    KvLayer cache(int kvHeads, int capacity, int headDim, FloatType type) {
        KvLayer kv = KvLayer.allocate(arena, kvHeads, capacity, headDim, type);
        if (type == FloatType.Q8_0) {
            for (MemorySegment half : List.of(kv.keys(), kv.values())) {
                for (long at = 0; at < half.byteSize(); at += 34) {
                    half.set(JAVA_SHORT, at, Float.floatToFloat16(real() / 64));
                    for (int i = 2; i < 34; i++) {
                        half.set(JAVA_BYTE, at + i, (byte) random.nextInt());
                    }
                }
            }
            segments.add(new Segment("keys", kv.keys(), type, false));
            segments.add(new Segment("cache values", kv.values(), type, false));
            return kv;
        }
        for (long i = 0; i < (long) kvHeads * capacity * headDim; i++) {
            put(kv.keys(), type, i, real());
            put(kv.values(), type, i, random.nextInt(50) == 0 ? one(Floats.ANY, 1) : real());
        }
        segments.add(new Segment("keys", kv.keys(), type, true));
        segments.add(new Segment("cache values", kv.values(), type, true));
        return kv;
    }

    /** Fails unless all memory holds the same values in both, bit for bit but for the payloads of NaNs. */
    void assertSameAs(Scene other) {
        Assertions.assertThat(segments).hasSameSizeAs(other.segments);
        for (int s = 0; s < segments.size(); s++) {
            Segment mine = segments.get(s);
            MemorySegment theirs = other.segments.get(s).whole;
            long from = 0;
            int bytes = mine.floats ? mine.type.bytes() : 1;
            while (true) {
                long at = MemorySegment.mismatch(
                        mine.whole, from, mine.whole.byteSize(), theirs, from, theirs.byteSize());
                if (at < 0) {
                    break;
                }
                long element = (from + at) / bytes;
                if (!mine.floats || !bothNan(mine.whole, theirs, mine.type, element)) {
                    Assertions.fail("scene %d, %s, element %d after the margin: %s, expected %s", number, mine.name,
                            element - MARGIN, show(mine, mine.whole, element), show(mine, theirs, element));
                }
                from = (element + 1) * bytes;
            }
        }
    }

    @Override
    public void close() {
        arena.close();
    }

    private MemorySegment allocate(String name, long bytes, int align, FloatType type, boolean floats) {
        long margin = (long) MARGIN * align;
        MemorySegment room = arena.allocate(bytes + 2 * margin + 64, 64);
        MemorySegment whole = room.asSlice((long) random.nextInt(16) * align, bytes + 2 * margin);
        segments.add(new Segment(name, whole, type, floats));
        return whole;
    }

    private MemorySegment inner(MemorySegment whole) {
        long margin = (long) MARGIN * (segments.getLast().floats ? segments.getLast().type.bytes() : 1);
        return whole.asSlice(margin, whole.byteSize() - 2 * margin);
    }

    private float one(Floats kind, float scale) {
        int dice = random.nextInt(40);
        if (kind == Floats.PLAIN || dice > 4) {
            return real() * scale;
        }
        if (kind == Floats.ANY && dice == 0) {
            return Float.NaN;
        }
        if (kind != Floats.FINITE && dice == 1) {
            return random.nextBoolean() ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY;
        }
        return FINITE[random.nextInt(FINITE.length)];
    }

    private static short narrow(float v, FloatType type) {
        return type == FloatType.F16 ? Float.floatToFloat16(v) : (short) (Float.floatToRawIntBits(v) >> 16);
    }

    private static void put(MemorySegment segment, FloatType type, long i, float v) {
        if (type == FloatType.F32) {
            segment.setAtIndex(JAVA_FLOAT, i, v);
        } else {
            segment.setAtIndex(JAVA_SHORT, i, narrow(v, type));
        }
    }

    private static boolean bothNan(MemorySegment a, MemorySegment b, FloatType type, long i) {
        return Float.isNaN(get(a, type, i)) && Float.isNaN(get(b, type, i));
    }

    private static float get(MemorySegment segment, FloatType type, long i) {
        return switch (type) {
            case F32 -> segment.getAtIndex(JAVA_FLOAT, i);
            case F16 -> Float.float16ToFloat(segment.getAtIndex(JAVA_SHORT, i));
            case BF16 -> Float.intBitsToFloat(segment.getAtIndex(JAVA_SHORT, i) << 16);
            case Q8_0, Q6_K -> throw new IllegalArgumentException(type + " is compared as bytes");
        };
    }

    private static Object show(Segment segment, MemorySegment memory, long i) {
        return segment.floats ? get(memory, segment.type, i) : memory.get(JAVA_BYTE, i);
    }
}
