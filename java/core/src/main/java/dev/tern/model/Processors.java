package dev.tern.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The logical processors that this process may use, as Linux tells in {@code /proc} and {@code /sys}; elsewhere as many
 * as Java counts, each taken for a core.
 *
 * @param order their numbers: one of each core first, then the second of each core, and so on; in the order in which
 *     threads are best bound to them
 * @param cores physical cores that they belong to
 * @param quota how many the process may keep busy: a container's limit of processor time may be less than it can see
 */
public record Processors(List<Integer> order, int cores, int quota) {

    public Processors {
        order = List.copyOf(order);
    }

    /** Those of this machine. */
    public static Processors current() {
        return read(Path.of("/"), Runtime.getRuntime().availableProcessors());
    }

    /** @param root under which proc and sys lie */
    static Processors read(Path root, int quota) {
        BitSet allowed = allowed(root.resolve("proc/self/status"), quota);
        Map<String, Integer> members = new HashMap<>(); // processors seen of a core, which is named by all it has
        List<List<Integer>> ranks = new ArrayList<>(); // the first processors of all cores, the second ones, ...
        allowed.stream().forEach(processor -> {
            Path topology = root.resolve("sys/devices/system/cpu/cpu" + processor + "/topology/thread_siblings_list");
            int rank = members.merge(line(topology, "").orElse("processor " + processor), 1, Integer::sum) - 1;
            if (rank == ranks.size()) {
                ranks.add(new ArrayList<>());
            }
            ranks.get(rank).add(processor);
        });
        return new Processors(ranks.stream().flatMap(List::stream).toList(), members.size(), quota);
    }

    /**
     * Threads to compute with when nobody says how many: one a core, and no more than the quota. A core's second
     * hardware thread shares its vector units and its path to memory.
     */
    public int threads() {
        return Math.max(1, Math.min(cores, quota));
    }

    private static BitSet allowed(Path status, int quota) {
        try {
            return line(status, "Cpus_allowed_list:").map(Processors::list).orElseGet(() -> first(quota));
        } catch (NumberFormatException unknown) {
            return first(quota);
        }
    }

    private static BitSet first(int n) {
        BitSet processors = new BitSet();
        processors.set(0, n);
        return processors;
    }

    /** Numbers and ranges such as {@code 0-3,8,10-11}. */
    private static BitSet list(String text) {
        BitSet processors = new BitSet();
        for (String part : text.split(",")) {
            String[] range = part.strip().split("-");
            processors.set(Integer.parseInt(range[0]), Integer.parseInt(range[range.length - 1]) + 1);
        }
        return processors;
    }

    /** What follows the prefix on the first line that begins with it. */
    private static Optional<String> line(Path file, String prefix) {
        try {
            return !Files.isReadable(file)
                    ? Optional.empty()
                    : Files.readAllLines(file).stream()
                            .filter(line -> line.startsWith(prefix))
                            .findFirst()
                            .map(line -> line.substring(prefix.length()).strip());
        } catch (IOException notThere) {
            return Optional.empty();
        }
    }
}
