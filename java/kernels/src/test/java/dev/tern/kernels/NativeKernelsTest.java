package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every native kernel of every tier against the reference, bit for bit. */
class NativeKernelsTest {
    private static final int SCENES = 600;

    static Stream<Arguments> kernelsOfTiers() {
        return Stream.of(Tier.values())
                .filter(tier -> tier != Tier.JAVA)
                .flatMap(tier -> KernelCalls.all().keySet().stream().map(kernel -> Arguments.of(tier, kernel)));
    }

    /** The tier's kernels. A machine may lack the tier; a build that was to have a library must have one. */
    static Kernels kernels(Tier tier) {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        LibraryStatus status = KernelChoice.status();
        assertThat(status.failure()).isEmpty();
        status.tiers().stream()
                .filter(candidate -> candidate.tier() == tier)
                .flatMap(candidate -> candidate.obstacle().stream())
                .forEach(obstacle -> Assumptions.abort(tier.label() + ": " + obstacle));
        return KernelChoice.of(tier);
    }

    @ParameterizedTest
    @MethodSource("kernelsOfTiers")
    void equalsTheReference(Tier tier, String kernel) {
        Kernels tested = kernels(tier);
        Kernels reference = KernelChoice.of(Tier.JAVA);
        KernelCalls.Call call = KernelCalls.all().get(kernel);
        for (int number = 0; number < SCENES; number++) {
            try (Scene mine = new Scene(number); Scene expected = new Scene(number)) {
                long answer = call.on(tested, mine);
                assertThat(answer).as("scene %d", number).isEqualTo(call.on(reference, expected));
                mine.assertSameAs(expected);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Tier.class, names = "JAVA", mode = EnumSource.Mode.EXCLUDE)
    void closingAnArenaFailsWhileAKernelRunsInIt(Tier tier) throws Exception {
        Kernels kernels = kernels(tier);
        Arena arena = Arena.ofShared();
        MemorySegment x = arena.allocate(256L << 20, 64);
        MemorySegment one = Arena.ofAuto().allocate(x.byteSize(), 64);
        one.set(ValueLayout.JAVA_FLOAT, 0, 1f);
        AtomicBoolean enough = new AtomicBoolean();
        Thread worker = Thread.ofPlatform().start(() -> {
            while (!enough.get()) {
                kernels.add(x, one, 0, x.byteSize() / 4);
            }
        });
        VarHandle floats = ValueLayout.JAVA_FLOAT.varHandle();
        while ((float) floats.getVolatile(x, 0L) == 0f) { // the first call has begun, and goes on for a while
            Thread.onSpinWait();
        }
        assertThatThrownBy(arena::close).isInstanceOf(IllegalStateException.class);
        enough.set(true);
        worker.join();
        arena.close();
        assertThatThrownBy(() -> kernels.add(x, one, 0, 1)).isInstanceOf(IllegalStateException.class);
    }

    /** Offsets that no int holds: the last rows of matrices in a sparse file of 5 GiB. */
    @ParameterizedTest
    @EnumSource(value = Tier.class, names = "JAVA", mode = EnumSource.Mode.EXCLUDE)
    void reachesRowsBeyondTwoGibibytes(Tier tier, @TempDir Path folder) throws IOException {
        Kernels kernels = kernels(tier);
        Kernels reference = KernelChoice.of(Tier.JAVA);
        long size = 5L << 30;
        int cols = 1 << 16;
        int ternaryRows = (int) (size / TernaryWeights.rowBytes(cols));
        int floatRows = (int) (size / (2L * cols));
        try (Scene scene = new Scene(7);
                Arena arena = Arena.ofConfined();
                FileChannel file = FileChannel.open(
                        folder.resolve("sparse"),
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.SPARSE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            MemorySegment values = file.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
            MemorySegment last = values.asSlice(size - 8L * cols);
            last.copyFrom(scene.elements("w", 4L * cols, FloatType.F16, Scene.Floats.PLAIN));
            MemorySegment x = scene.floats("x", cols, Scene.Floats.PLAIN);
            MemorySegment y = scene.floats("y", ternaryRows, Scene.Floats.PLAIN);
            MemorySegment expected = arena.allocateFrom(ValueLayout.JAVA_FLOAT, y.toArray(ValueLayout.JAVA_FLOAT));

            FloatWeights floats = FloatWeights.of(arena, values, floatRows, cols, FloatType.F16);
            kernels.floatMatmul(floats, x, cols, 1, floatRows - 4, floatRows, y, 0);
            reference.floatMatmul(floats, x, cols, 1, floatRows - 4, floatRows, expected, 0);
            assertThat(y.mismatch(expected)).isEqualTo(-1);

            for (long i = 0; i < last.byteSize(); i++) { // any byte without a code 3
                last.set(ValueLayout.JAVA_BYTE, i, (byte) (last.get(ValueLayout.JAVA_BYTE, i) & 0x99));
            }
            TernaryWeights ternary = TernaryWeights.of(arena, values, ternaryRows, cols, 0.5f);
            Activations a = scene.activations(1, cols);
            kernels.quantize(x, cols, cols, 0, 1, a);
            kernels.ternaryMatmul(ternary, a, 1, ternaryRows - 4, ternaryRows, y, 0);
            reference.ternaryMatmul(ternary, a, 1, ternaryRows - 4, ternaryRows, expected, 0);
            assertThat(y.mismatch(expected)).isEqualTo(-1);
            assertThat(kernels.findInvalidCode(last)).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void refusesAProductWithActivationsOfAnotherWidth(Tier tier) {
        Kernels kernels = tier == Tier.JAVA ? KernelChoice.of(tier) : kernels(tier);
        try (Scene scene = new Scene(1)) {
            Activations a = scene.activations(1, 256);
            MemorySegment x = scene.floats("x", 256, Scene.Floats.PLAIN);
            kernels.quantize(x, 256, 256, 0, 1, a);
            assertThatThrownBy(() -> kernels.ternaryMatmul(scene.weights(4, 128), a, 1, 0, 4, x, 4))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("a: quantized with 256 columns, but the matrix has 128");
        }
    }
}
