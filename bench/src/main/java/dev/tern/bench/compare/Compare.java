package dev.tern.bench.compare;

import dev.tern.io.InputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code bench/compare A.json B.json}: prints how many times as fast the benchmarks of one run are in another. Ends
 * with 0 whatever it finds, since a difference is no failure; with 2 where it was called wrongly or a file cannot be
 * read.
 */
public final class Compare {
    private static final String USAGE = """
            usage: bench/compare [--paired] [--confidence 0.95] A.json B.json
                     results of bench/run beside each other
                   bench/compare --with COMMIT [--rounds 5] [arguments of JMH]
                     the working tree beside another commit, forks in turns
            --paired: the n-th forks of both ran next to each other, as those that --with writes""";

    private Compare() {}

    public static void main(String[] arguments) {
        int status = run(arguments);
        if (status != 0) {
            System.exit(status);
        }
    }

    static int run(String[] arguments) {
        boolean paired = false;
        double confidence = 0.95;
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--paired" -> paired = true;
                case "--confidence" -> {
                    confidence = i + 1 < arguments.length ? confidence(arguments[++i]) : Double.NaN;
                    if (!(confidence > 0 && confidence < 1)) {
                        return usage("--confidence: expected a number between 0 and 1");
                    }
                }
                case "-h", "--help" -> {
                    System.out.println(USAGE);
                    return 0;
                }
                default -> {
                    if (arguments[i].startsWith("-")) {
                        return usage("unknown option " + arguments[i]);
                    }
                    files.add(Path.of(arguments[i]));
                }
            }
        }
        if (files.size() != 2) {
            return usage("expected two files, found " + files.size());
        }
        try {
            BenchmarkRun a = BenchmarkRun.read(files.get(0));
            BenchmarkRun b = BenchmarkRun.read(files.get(1));
            System.out.print(ComparisonTable.of(RunComparison.of(a, b, paired, confidence), a, b, confidence));
            return 0;
        } catch (InputException e) {
            System.err.println("compare: " + e.getMessage());
            return 2;
        }
    }

    private static double confidence(String word) {
        try {
            return Double.parseDouble(word);
        } catch (NumberFormatException noNumber) {
            return Double.NaN;
        }
    }

    private static int usage(String problem) {
        System.err.println("compare: " + problem + "\n" + USAGE);
        return 2;
    }
}
