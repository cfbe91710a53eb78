package dev.tern.cli;

import dev.tern.model.PassProfile;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What a test's time goes to, stage by stage. */
final class StageTable {
    private static final String ROW = "| %-14s | %9s | %6s | %7s | %7s |%n";

    private StageTable() {}

    /** @param test its name, such as {@code tg128} */
    static String markdown(String test, PassProfile profile) {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%n%s, %d thread%s, one run: %.2f ms a token%n%n",
                test,
                profile.threads(),
                profile.threads() == 1 ? "" : "s",
                profile.nanos() * 1e-6 / profile.tokens()));
        text.append(String.format(ROW, "stage", "ms/token", "share", "GB/s", "Gop/s"));
        text.append("| -------------- | --------: | -----: | ------: | ------: |\n");
        for (PassProfile.Entry entry : profile.stages()) {
            text.append(String.format(
                    ROW,
                    entry.stage().label(),
                    number("%.4f", entry.nanos() * 1e-6 / profile.tokens()),
                    number("%.1f %%", 100 * entry.nanos() / profile.nanos()),
                    entry.bytes() == 0 ? "" : number("%.1f", entry.gigabytesPerSecond()),
                    entry.operations() == 0 ? "" : number("%.0f", entry.gigaOperationsPerSecond())));
        }
        return text.toString();
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    /** The same numbers, of all tokens together. */
    static void json(PassProfile profile, ArrayNode array) {
        for (PassProfile.Entry entry : profile.stages()) {
            ObjectNode stage = array.addObject();
            stage.put("stage", entry.stage().label());
            stage.put("ns", Math.round(entry.nanos()));
            stage.put("share", entry.nanos() / profile.nanos());
            stage.put("bytes", entry.bytes());
            stage.put("operations", entry.operations());
            stage.put("gb_s", entry.gigabytesPerSecond());
            stage.put("gop_s", entry.gigaOperationsPerSecond());
        }
    }
}
