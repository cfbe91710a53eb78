package dev.tern.cli;

import dev.tern.measure.MachineLimits;
import dev.tern.measure.Roofline;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What a machine can do at most, and what of it tests reached. */
final class RooflineTable {
    /** Of a column at the end of a table. */
    static final String HEADING = String.format(" %22s |", "share of the limit");

    /** Beneath that. */
    static final String RULE = " ---------------------: |";

    private static final String WORDS = """
            tg: the weights that a token reads, and its cache, times tokens a second, over the read bandwidth.
            pp: multiplications and additions of the ternary matrices a second, over the peak of 8-bit products.
            """;

    private RooflineTable() {}

    /** A cell of that column, such as {@code 81 % of 36.9 GB/s}. */
    static String cell(Optional<Roofline.Share> share) {
        String text = share.map(s -> String.format(
                        Locale.ROOT,
                        "%.0f %% of %s",
                        100 * s.share(),
                        switch (s.bound()) {
                            case READ -> String.format(Locale.ROOT, "%.1f GB/s", s.limit());
                            case PRODUCTS -> String.format(Locale.ROOT, "%.0f Gop/s", s.limit());
                        }))
                .orElse("");
        return String.format(" %22s |", text);
    }

    /** The limits, and what they are. */
    static String markdown(MachineLimits limits) {
        List<String> tiers =
                limits.peaks().stream().map(MachineLimits.Peak::tier).distinct().toList();
        List<String> heads = new ArrayList<>(List.of("threads", "4 KiB pages", "2 MiB pages"));
        heads.addAll(tiers);
        List<Integer> threads = new ArrayList<>();
        limits.reads().forEach(read -> threads.add(read.threads()));
        limits.peaks().forEach(peak -> threads.add(peak.threads()));
        StringBuilder text = new StringBuilder("\nThis machine at best: reads in GB/s, 8-bit products in Gop/s\n\n");
        row(text, heads);
        row(text, heads.stream().map(head -> "-".repeat(width(head) - 1) + ":").toList());
        for (int count : threads.stream().distinct().sorted().toList()) {
            List<String> cells = new ArrayList<>(List.of(Integer.toString(count)));
            for (boolean large : new boolean[] {false, true}) {
                cells.add(limits.reads().stream()
                        .filter(read -> read.threads() == count && read.largePages() == large)
                        .map(read -> String.format(Locale.ROOT, "%.1f", read.gigabytesPerSecond()))
                        .findFirst()
                        .orElse(""));
            }
            for (String tier : tiers) {
                cells.add(limits.peaks().stream()
                        .filter(peak -> peak.threads() == count && peak.tier().equals(tier))
                        .map(peak -> String.format(Locale.ROOT, "%.0f", peak.gigaOperationsPerSecond()))
                        .findFirst()
                        .orElse(""));
            }
            row(text, cells, heads);
        }
        return text.append('\n').append(WORDS).toString();
    }

    private static int width(String head) {
        return Math.max(8, head.length());
    }

    private static void row(StringBuilder text, List<String> heads) {
        row(text, heads, heads);
    }

    private static void row(StringBuilder text, List<String> cells, List<String> heads) {
        for (int i = 0; i < cells.size(); i++) {
            text.append(String.format("| %" + width(heads.get(i)) + "s ", cells.get(i)));
        }
        text.append("|\n");
    }
}
