package dev.tern.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;

/** What the steps of long work did: for people a line as each ends, for programs all of them at the end. */
final class StepLog {
    private final Terminal terminal;
    private final boolean quiet;
    private final List<Step> steps = new ArrayList<>();

    /** What became of a step. */
    enum Status {
        DONE,
        /** Its result is there already, or it is not needed. */
        SKIPPED,
        /** It could not be done, and the others go on without. */
        FAILED;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private record Step(String name, Status status, String text, double seconds) {}

    /** @param quiet print no lines */
    StepLog(Terminal terminal, boolean quiet) {
        this.terminal = terminal;
        this.quiet = quiet;
    }

    /** Takes a step that took {@code nanos}; on a terminal its line is wrapped, in a pipe it is one line. */
    void add(String name, Status status, long nanos, String text) {
        steps.add(new Step(name, status, text, nanos / 1e9));
        if (quiet) {
            return;
        }
        String label = String.format(Locale.ROOT, "%-9s%-8s%8s  ", name, status.label(), Sizes.time(nanos));
        terminal.out().println(Wrap.indented(label, text, terminal.outIsTerminal() ? Terminal.WIDTH : Integer.MAX_VALUE));
        terminal.out().flush();
    }

    /** All steps: {@code name}, {@code status}, {@code why}, {@code seconds}. */
    ArrayNode json() {
        ArrayNode array = Json.array();
        for (Step step : steps) {
            array.addObject()
                    .put("name", step.name())
                    .put("status", step.status().label())
                    .put("why", step.text())
                    .put("seconds", step.seconds());
        }
        return array;
    }
}
