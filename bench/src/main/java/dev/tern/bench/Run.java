package dev.tern.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.Main;

/**
 * JMH's command line, whose forks may call native code. {@code bench/run} is the same with a build in front and a file of
 * results behind it.
 */
public final class Run {
    private static final String APPEND = "-jvmArgsAppend";

    private Run() {}

    public static void main(String[] arguments) throws IOException {
        Main.main(withForkArguments(List.of(arguments), List.of("--enable-native-access=ALL-UNNAMED"))
                .toArray(String[]::new));
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
