package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.kernels.LibraryStatus.TierStatus;
import dev.tern.kernels.TierProof.Outcome;
import dev.tern.kernels.ffi.tern_kernels_h;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tiers that run, and children that die in every way. */
class TierProofTest {
    @TempDir
    Path folder;

    private static void needsNative() {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
    }

    private static TierProof shell(String script, Duration patience) throws InterruptedException {
        return TierProcess.prove(Tier.AVX2, List.of("bash", "-c", script), Map.of(), patience);
    }

    private static TierProof shell(String script) throws InterruptedException {
        return shell(script, Duration.ofMinutes(1));
    }

    @Test
    void everyTierOfThisMachineRuns() throws InterruptedException {
        needsNative();
        List<TierProof> proofs = TierProof.ofThisProcess();
        assertThat(proofs).extracting(TierProof::tier)
                .containsExactlyElementsOf(
                        KernelChoice.status().tiers().stream().map(TierStatus::tier).toList());
        for (TierProof proof : proofs) {
            assertThat(proof.outcome()).as(proof.toString()).isIn(Outcome.RUNS, Outcome.OBSTACLE);
            assertThat(proof.failed()).isFalse();
        }
        assertThat(proofs.getFirst()).isEqualTo(new TierProof(Tier.SCALAR, Outcome.RUNS, ""));
    }

    @Test
    void triesNoTierWithAnObstacle() throws InterruptedException {
        List<Tier> tried = new ArrayList<>();
        List<TierProof> proofs = TierProof.ofAll(
                List.of(
                        new TierStatus(Tier.SCALAR, Optional.empty()),
                        new TierStatus(Tier.AMX, Optional.of("the CPU has no AMX"))),
                tier -> {
                    tried.add(tier);
                    return new TierProof(tier, Outcome.CRASHED, "SIGILL");
                });
        assertThat(tried).containsExactly(Tier.SCALAR);
        assertThat(proofs).containsExactly(
                new TierProof(Tier.SCALAR, Outcome.CRASHED, "SIGILL"),
                new TierProof(Tier.AMX, Outcome.OBSTACLE, "the CPU has no AMX"));
    }

    @ParameterizedTest
    @CsvSource({"ILL, SIGILL", "SEGV, SIGSEGV", "ABRT, SIGABRT", "FPE, SIGFPE", "KILL, SIGKILL"})
    void namesTheSignalThatEndedAChild(String signal, String name) throws InterruptedException {
        assertThat(shell("echo kernel quantize; echo kernel softmax; kill -" + signal + " $$"))
                .isEqualTo(new TierProof(Tier.AVX2, Outcome.CRASHED, name + " in kernel softmax"));
    }

    /** A JVM catches the signal, reports it and ends by another one. */
    @Test
    void readsTheSignalInTheReportOfAJvm() {
        TierProof proof = TierProcess.verdict(Tier.AMX, 134, """
                kernel quantize
                #
                # A fatal error has been detected by the Java Runtime Environment:
                #
                #  SIGILL (0x4) at pc=0x00007f0c1, pid=7, tid=8
                """);
        assertThat(proof).isEqualTo(new TierProof(Tier.AMX, Outcome.CRASHED, "SIGILL in kernel quantize"));
        assertThat(proof.failed()).isTrue();
    }

    @Test
    void tellsWrongResults() throws InterruptedException {
        TierProof proof = shell("echo kernel quantize; echo wrong quantize");
        assertThat(proof).isEqualTo(new TierProof(Tier.AVX2, Outcome.WRONG, "in kernel quantize"));
        assertThat(proof.failed()).isTrue();
    }

    @Test
    void anAnswerThatIsNoneRefutesNothing() throws InterruptedException {
        assertThat(shell("echo out of memory; exit 1"))
                .isEqualTo(new TierProof(
                        Tier.AVX2, Outcome.UNKNOWN, "the trial ended with status 1, its last words: out of memory"));
        assertThat(shell("exit 0").outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(shell("echo kernel add; exec sleep 60", Duration.ofSeconds(1)))
                .isEqualTo(new TierProof(Tier.AVX2, Outcome.UNKNOWN, "no answer within 1 seconds in kernel add"));
        TierProof missing = TierProcess.prove(Tier.AVX2, List.of(folder.resolve("java").toString()));
        assertThat(missing.outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(missing.detail()).startsWith("it could not be tried: ");
        assertThat(missing.failed()).isFalse();
    }

    /** A real child: a library that announces a tier whose first kernel is an instruction no CPU has. */
    @Test
    void aTierThatTheCpuDoesNotRunKillsOnlyTheChild() throws Exception {
        needsNative();
        Path library = CompiledC.library(folder, """
                #include <stddef.h>
                static void dies(void) { __builtin_trap(); }
                static struct { long tier; void (*kernels[64])(void); } table;
                int tern_abi_version(void) { return %d; }
                const char *tern_abi_hash(void) { return "%s"; }
                const char *tern_lut_abi_hash(void) { return "%s"; }
                const void *tern_lut_kernels_of(int path) {
                    static const int shape[] = {0, 256, 256, 256, 128, 32};
                    static const struct {
                        long path; const char *plan; long shapes; const int *shape; void (*kernels[3])(void);
                    } table = {0, "%s", 1, shape, {dies, dies, dies}};
                    return path == 0 ? &table : NULL;
                }
                const char *tern_tier_name(int tier) {
                    static const char *const names[] = {%s};
                    return tier >= 0 && tier < %d ? names[tier] : NULL;
                }
                const char *tern_tier_obstacle(int tier) { return NULL; }
                const void *tern_kernels_of(int tier) {
                    for (int i = 0; i < 64; i++) { table.kernels[i] = dies; }
                    table.tier = tier;
                    return &table;
                }""".formatted(
                tern_kernels_h.TERN_ABI_VERSION(),
                NativeLibrary.headerHash(),
                NativeLibrary.headerHash(),
                "0".repeat(64),
                nativeTiers().stream().map(tier -> '"' + tier.label() + '"').collect(Collectors.joining(", ")),
                nativeTiers().size()));
        TierProof proof = TierProcess.prove(
                Tier.AVX2,
                TierProcess.command(Tier.AVX2),
                Map.of("TERN_LIBRARY", library.toString()),
                Duration.ofMinutes(1));
        assertThat(proof.outcome()).as(proof.toString()).isEqualTo(Outcome.CRASHED);
        assertThat(proof.detail()).matches("SIG(ILL|TRAP|ABRT) in kernel quantize");
    }

    private static List<Tier> nativeTiers() {
        return Arrays.stream(Tier.values()).filter(tier -> tier != Tier.JAVA).toList();
    }

    @Test
    void theProbeCallsEveryKernelOfTheTable() throws IOException {
        assertThat(ProbeCalls.all().sequencedKeySet().stream().map(name -> name.split(" ")[0]).distinct())
                .containsExactlyInAnyOrderElementsOf(Header.read().kernels().sequencedKeySet());
    }

    /** Each call of the probe sees a kernel that writes nothing. */
    @Test
    void everyCallOfTheProbeSeesAKernelThatDoesNothing() {
        Kernels reference = new ReferenceKernels();
        Kernels idle = (Kernels) Proxy.newProxyInstance(
                Kernels.class.getClassLoader(),
                new Class<?>[] {Kernels.class},
                (proxy, method, arguments) -> switch (method.getReturnType().getName()) {
                    case "long" -> -1L;
                    case "int" -> -1;
                    default -> null;
                });
        ProbeCalls.all().forEach((name, call) -> {
            assertThat(TierProbe.same(call, reference, reference)).as(name).isTrue();
            assertThat(TierProbe.same(call, idle, reference)).as(name).isFalse();
        });
    }
}
