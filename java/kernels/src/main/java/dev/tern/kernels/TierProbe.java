package dev.tern.kernels;

import java.lang.foreign.Arena;
import java.util.Map;

/**
 * The program of a process that tries one tier: calls each kernel on the tier and on the reference, and says so line by
 * line, so that what it printed before it died tells where. {@link TierProcess} reads it.
 */
final class TierProbe {
    /** Begins the line before a kernel is called. */
    static final String KERNEL = "kernel ";
    /** Begins the line that names a kernel whose result differs. */
    static final String WRONG = "wrong ";
    /** The last line, when all is well. */
    static final String DONE = "all results are the reference's";

    private TierProbe() {}

    /** Tries the tier whose label is the argument. */
    public static void main(String[] arguments) {
        try {
            System.out.println(answer(KernelChoice.of(KernelChoice.tier(arguments[0]).orElseThrow())));
        } catch (KernelUnavailableException e) {
            System.out.println(e.getMessage()); // no answer
        }
    }

    private static String answer(Kernels tested) {
        Kernels reference = KernelChoice.of(Tier.JAVA);
        for (Map.Entry<String, ProbeCalls.Call> call : ProbeCalls.all().entrySet()) {
            System.out.println(KERNEL + call.getKey());
            if (!same(call.getValue(), tested, reference)) {
                return WRONG + call.getKey();
            }
        }
        return DONE;
    }

    /** Whether both leave the same bits, from the same random numbers. */
    static boolean same(ProbeCalls.Call call, Kernels tested, Kernels reference) {
        try (Arena mine = Arena.ofConfined();
                Arena expected = Arena.ofConfined()) {
            return call.on(tested, new ProbeMemory(mine))
                            .mismatch(call.on(reference, new ProbeMemory(expected)))
                    < 0;
        }
    }
}
