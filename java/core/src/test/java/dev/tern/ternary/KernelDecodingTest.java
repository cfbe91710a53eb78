package dev.tern.ternary;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.io.InputException;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.TernaryEncoding;
import dev.tern.kernels.TernaryWeights;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernel that decodes a type gives the codec's codes, and refuses a row exactly where the codec does. */
class KernelDecodingTest {
    private static final String WHERE = "a.gguf: tensor 'w'";
    private static final int ROWS = 3;

    /** The Java reference and what this machine runs best. */
    private static List<Kernels> implementations() {
        return Stream.of(KernelChoice.of(Tier.JAVA), KernelChoice.best().kernels()).distinct().toList();
    }

    @ParameterizedTest
    @EnumSource(value = Outtype.class, mode = EnumSource.Mode.EXCLUDE, names = {"TL1", "TL2"}) // which need tiles
    void anEncodingIsOfTheTypesName(Outtype outtype) {
        TernaryCodec codec = outtype.codec();
        Optional<TernaryEncoding> encoding = codec.encoding();
        if (codec instanceof BlockCodec || codec instanceof FloatCodec) {
            assertThat(encoding.orElseThrow().name()).isEqualTo(codec.type().name());
            assertThat(encoding.orElseThrow().rowBytes(512)).isEqualTo(codec.byteSize(1, 512));
        } else {
            assertThat(encoding).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(TernaryEncoding.class)
    void decodesWhatTheCodecWrites(TernaryEncoding encoding) {
        Random random = new Random(1);
        TernaryCodec codec = Outtype.valueOf(encoding.name()).codec();
        for (int cols : encoding.blockSize() == 1 ? new int[] {1, 127, 129, 256} : new int[] {256, 512, 1280}) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment in = encoded(codec, cols, random, arena);
                byte[] expected = packed(codec, in, cols, 0, ROWS);
                for (Kernels kernels : implementations()) {
                    MemorySegment codes = arena.allocate(expected.length);
                    float scale = codec.scale(in, ROWS, cols, WHERE);
                    assertThat(kernels.ternaryDecode(encoding, in.asReadOnly(), ROWS, cols, scale, codes)).isEqualTo(-1);
                    assertThat(codes.toArray(ValueLayout.JAVA_BYTE)).as(kernels.tier() + "").isEqualTo(expected);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TernaryEncoding.class)
    void refusesTheRowsThatTheCodecRefuses(TernaryEncoding encoding) {
        Random random = new Random(2);
        TernaryCodec codec = Outtype.valueOf(encoding.name()).codec();
        int refused = 0;
        for (int round = 0; round < 2000; round++) {
            try (Arena arena = Arena.ofConfined()) {
                int cols = 256;
                MemorySegment in = encoded(codec, cols, random, arena);
                float scale = codec.scale(in, ROWS, cols, WHERE);
                // Damage behind the first row, from which the codec takes the scale.
                long at = random.nextLong(encoding.rowBytes(cols), in.byteSize());
                in.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt());
                int expected = IntStream.range(0, ROWS)
                        .filter(row -> packed(codec, in, cols, row, row + 1).length == 0)
                        .findFirst()
                        .orElse(-1);
                refused += expected >= 0 ? 1 : 0;
                for (Kernels kernels : implementations()) {
                    MemorySegment codes = arena.allocate(ROWS * TernaryWeights.rowBytes(cols));
                    assertThat(kernels.ternaryDecode(encoding, in, ROWS, cols, scale, codes))
                            .as("%s, round %d, byte %d", kernels.tier(), round, at)
                            .isEqualTo(expected);
                }
            }
        }
        assertThat(refused).isGreaterThan(100);
    }

    private static MemorySegment encoded(TernaryCodec codec, int cols, Random random, Arena arena) {
        byte[] values = new byte[ROWS * cols];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) (i == 0 ? 1 : random.nextInt(3) - 1);
        }
        MemorySegment in = arena.allocate(codec.byteSize(ROWS, cols) + 1).asSlice(1); // at an odd address
        codec.encode(new TernaryMatrix(ROWS, cols, values, 0.75f), in);
        return in;
    }

    /** Rows as the codec translates them; nothing when it refuses one. */
    private static byte[] packed(TernaryCodec codec, MemorySegment in, int cols, int firstRow, int endRow) {
        byte[] codes = new byte[Math.toIntExact((endRow - firstRow) * TernaryWeights.rowBytes(cols))];
        try {
            codec.pack(in, ROWS, cols, firstRow, endRow, MemorySegment.ofArray(codes), WHERE);
            return codes;
        } catch (InputException e) {
            return new byte[0];
        }
    }
}
