package dev.tern.bench;

import dev.tern.measure.MachineLimits;
import dev.tern.measure.MachineProbe;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.openjdk.jmh.Main;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * JMH's command line. Forks may call native code, and when benchmarks that show shares of the machine's limits are
 * among those chosen, the limits are measured first, some seconds long, and told to every fork; {@code
 * -Dtern.bench.limits=off} leaves that out. {@code bench/run} is the same with a build in front and a file of results
 * behind it.
 */
public final class Run {
    private static final String APPEND = "-jvmArgsAppend";
    private static final Set<Class<?>> SHARES = Set.of(ReadWork.class, IntegerWork.class);

    private Run() {}

    public static void main(String[] arguments) throws IOException {
        List<String> forks = new ArrayList<>(List.of("--enable-native-access=ALL-UNNAMED"));
        String told = System.getProperty(Limits.PROPERTY);
        if (told != null) {
            forks.add("-D" + Limits.PROPERTY + "=" + told);
        } else if (showsShares(arguments)) {
            String measured = Limits.format(measure(threads(arguments)));
            System.setProperty(Limits.PROPERTY, measured); // for -f 0
            forks.add("-D" + Limits.PROPERTY + "=" + measured);
        }
        Main.main(withForkArguments(List.of(arguments), forks).toArray(String[]::new));
    }

    /** Whether these arguments choose a benchmark that takes {@link ReadWork} or {@link IntegerWork}. */
    static boolean showsShares(String[] arguments) {
        try {
            CommandLineOptions options = new CommandLineOptions(arguments);
            if (options.shouldHelp()
                    || options.shouldList()
                    || options.shouldListWithParams()
                    || options.shouldListProfilers()
                    || options.shouldListResultFormats()) {
                return false;
            }
            return BenchmarkList.defaultList()
                    .find(
                            OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT),
                            options.getIncludes(),
                            options.getExcludes())
                    .stream()
                    .anyMatch(Run::showsShares);
        } catch (CommandLineOptionException e) {
            return false; // JMH will say so
        }
    }

    private static boolean showsShares(BenchmarkListEntry benchmark) {
        try {
            return Stream.of(Class.forName(benchmark.getUserClassQName()).getMethods())
                    .filter(method -> benchmark.getUsername().endsWith("." + method.getName()))
                    .flatMap(method -> Arrays.stream(method.getParameterTypes()))
                    .anyMatch(SHARES::contains);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e); // JMH's list was made from the classes beside it
        }
    }

    /** One, which is the default, and what {@code -t} says. */
    static List<Integer> threads(String[] arguments) {
        try {
            int asked = new CommandLineOptions(arguments).getThreads().orElse(1);
            return List.of(1, asked == Threads.MAX ? Runtime.getRuntime().availableProcessors() : asked);
        } catch (CommandLineOptionException e) {
            return List.of(1);
        }
    }

    private static MachineLimits measure(List<Integer> threads) {
        System.out.println("# Measuring the machine's limits ...");
        MachineProbe.Result result = MachineProbe.measure(threads, (what, done, all) -> {});
        for (MachineLimits.Read read : result.limits().reads()) {
            System.out.printf(
                    Locale.ROOT,
                    "# reads, %d thread%s, pages of %s: %.1f GB/s%n",
                    read.threads(),
                    read.threads() == 1 ? "" : "s",
                    read.largePages() ? "2 MiB" : "4 KiB",
                    read.gigabytesPerSecond());
        }
        for (MachineLimits.Peak peak : result.limits().peaks()) {
            System.out.printf(
                    Locale.ROOT,
                    "# 8-bit products, %d thread%s, %s: %.0f Gop/s%n",
                    peak.threads(),
                    peak.threads() == 1 ? "" : "s",
                    peak.tier(),
                    peak.gigaOperationsPerSecond());
        }
        result.notes().forEach(note -> System.out.println("# " + note));
        return result.limits();
    }

    /** The same arguments with more for the JVMs of forks, behind those that they have already. */
    static List<String> withForkArguments(List<String> arguments, List<String> more) {
        List<String> all = new ArrayList<>(arguments);
        int at = all.indexOf(APPEND);
        String added = String.join(" ", more);
        if (at >= 0 && at + 1 < all.size()) {
            all.set(at + 1, all.get(at + 1) + " " + added);
        } else {
            all.add(APPEND);
            all.add(added);
        }
        return all;
    }
}
