package dev.tern.codegen;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads one {@code kernel_config.ini}. What Python's {@code configparser} accepts is accepted, except for what it puts
 * up with in silence although the writer may have meant something: other keys, other sections, text behind a section's
 * name, values of several lines.
 */
final class KernelConfigReader {
    private static final Pattern SECTION_NAME = Pattern.compile("Kernels_[0-9]+");
    private static final Pattern NUMBER = Pattern.compile("0*[1-9][0-9]{0,9}");
    private static final Pattern REMARK = Pattern.compile(
            "[#;]+\\s*(format|plan)\\s*:\\s*(.*)", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    /** What a message shows of a text at most: a hash whole. */
    private static final int SHOWN_CHARS = 64;

    private static final String CURE = "correct it, or generate the file again with tern kernels";

    /** The keys of a section, in the order in which they are written. */
    private enum Key {
        M("rows of the matrix"),
        K("columns of the matrix"),
        BM("rows of a tile"),
        BK("columns of a tile"),
        BMM("rows that lie interleaved");

        private final String meaning;

        Key(String meaning) {
            this.meaning = meaning;
        }

        private String label() {
            return name().toLowerCase(Locale.ROOT);
        }

        private static String all() {
            return Arrays.stream(values()).map(Key::label).collect(Collectors.joining(", "));
        }
    }

    /**
     * @param name without brackets
     * @param line of its header, from 1
     */
    private record Section(String name, int line, Map<Key, Integer> values) {}

    /**
     * @param text behind the colon
     * @param line from 1
     */
    private record Remark(String text, int line) {}

    private final String where;
    private final Map<String, Section> sections = new LinkedHashMap<>();
    private final Map<String, Remark> remarks = new HashMap<>();
    private @Nullable Section section;

    KernelConfigReader(String where) {
        this.where = where;
    }

    KernelConfig read(String text, Optional<LutFormat> asked) {
        readLines(text.startsWith("\uFEFF") ? text.substring(1) : text);
        if (sections.isEmpty()) {
            throw fault(0, "there are no kernels in it; expected sections [Kernels_0], [Kernels_1], ... with the keys "
                    + Key.all() + "; generate one with tern kernels");
        }
        sections.values().forEach(this::requireEveryKey);
        LutFormat format = format(asked);
        KernelPlan plan = new KernelPlan(kernels(format));
        requirePlan(plan);
        return new KernelConfig(format, plan);
    }

    private void readLines(String text) {
        int line = 0;
        // configparser takes a line that stands deeper than the key above it for more of that key's value.
        int keyIndent = Integer.MAX_VALUE;
        for (String raw : text.lines().toList()) {
            line++;
            String content = raw.strip();
            if (content.isEmpty()) {
                continue;
            }
            int indent = raw.indexOf(content);
            if (content.startsWith("#") || content.startsWith(";")) {
                readRemark(content, line);
            } else if (indent > keyIndent) {
                throw fault(line, shown(content) + " stands deeper than the key above it, which makes it more of that"
                        + " key's value; expected one key a line; remove the spaces before it");
            } else if (content.startsWith("[")) {
                readHeader(content, line);
                keyIndent = Integer.MAX_VALUE;
            } else {
                readKey(content, line);
                keyIndent = indent;
            }
        }
    }

    private void readRemark(String content, int line) {
        Matcher remark = REMARK.matcher(content);
        if (!remark.matches()) {
            return;
        }
        String name = remark.group(1).toLowerCase(Locale.ROOT);
        Remark first = remarks.putIfAbsent(name, new Remark(remark.group(2).strip(), line));
        if (first != null) {
            throw fault(line, "a second '# " + name + ":' line, after that of line " + first.line()
                    + "; expected one a file; keep the kernels of one file and its comments together");
        }
    }

    private void readHeader(String content, int line) {
        int end = content.lastIndexOf(']');
        String name = end < 0 ? "" : content.substring(1, end);
        String rest = content.substring(end + 1).strip();
        boolean comment = rest.startsWith("#") || rest.startsWith(";");
        if (!SECTION_NAME.matcher(name).matches() || !(rest.isEmpty() || comment)) {
            section = null;
            throw fault(line, "the section header is " + shown(content) + "; expected [Kernels_0], [Kernels_1], ...; "
                    + CURE);
        }
        section = new Section(name, line, new LinkedHashMap<>());
        Section first = sections.putIfAbsent(name, section);
        if (first != null) {
            throw fault(line, "a second section of this name, after that of line " + first.line()
                    + "; expected each once; give it the next free number, or remove it");
        }
    }

    private void readKey(String content, int line) {
        Section current = section;
        if (current == null) {
            throw fault(line, shown(content) + " stands outside a section; expected [Kernels_0] before it; " + CURE);
        }
        int end = 0;
        while (end < content.length() && content.charAt(end) != '=' && content.charAt(end) != ':') {
            end++;
        }
        if (end == content.length()) {
            throw fault(line, shown(content) + " is no setting; expected a key and a number, such as m = 2560; "
                    + CURE);
        }
        String name = content.substring(0, end).strip();
        Key key = Arrays.stream(Key.values())
                .filter(candidate -> candidate.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> fault(line, "unknown key " + shown(name) + "; expected " + Key.all() + "; " + CURE));
        if (current.values().put(key, number(key, content.substring(end + 1).strip(), line)) != null) {
            throw fault(line, "a second " + key.label() + " (" + key.meaning
                    + "); expected each key once a section; remove one of the two");
        }
    }

    private int number(Key key, String text, int line) {
        try {
            if (NUMBER.matcher(text).matches()) {
                return Integer.parseInt(text);
            }
        } catch (NumberFormatException tooLarge) {
            // said below
        }
        boolean comment = text.contains("#") || text.contains(";");
        throw fault(line, key.label() + " (" + key.meaning + ") is " + shown(text)
                + "; expected a whole number from 1 to " + Integer.MAX_VALUE + "; "
                + (comment ? "put the comment on a line of its own" : CURE));
    }

    private void requireEveryKey(Section complete) {
        for (Key key : Key.values()) {
            if (!complete.values().containsKey(key)) {
                section = complete;
                throw fault(complete.line(), "the key " + key.label() + " (" + key.meaning + ") is missing; expected "
                        + Key.all() + "; add it, or generate the file again with tern kernels");
            }
        }
    }

    private LutFormat format(Optional<LutFormat> asked) {
        section = null;
        Remark remark = remarks.get("format");
        if (remark == null) {
            return asked.orElseThrow(() -> fault(0, "it does not say what format its tiles are for; expected a line"
                    + " '# format: tl2' or '# format: tl1'; name the format, or add the line"));
        }
        LutFormat said = Arrays.stream(LutFormat.values())
                .filter(format -> format.label().equalsIgnoreCase(remark.text()))
                .findFirst()
                .orElseThrow(() -> fault(remark.line(), "the format is " + shown(remark.text())
                        + "; expected tl1 or tl2; " + CURE));
        if (asked.isPresent() && asked.get() != said) {
            throw fault(remark.line(), "these tiles are for " + said.label() + "; expected tiles for "
                    + asked.get().label() + "; ask for " + said.label() + ", or generate a file for "
                    + asked.get().label());
        }
        return said;
    }

    private List<PlannedKernel> kernels(LutFormat format) {
        List<PlannedKernel> kernels = new ArrayList<>();
        Map<MatrixShape, Section> served = new HashMap<>();
        for (Section read : sections.values()) {
            section = read;
            Map<Key, Integer> values = read.values();
            MatrixShape shape = new MatrixShape(values.get(Key.M), values.get(Key.K));
            Tile tile = new Tile(values.get(Key.BM), values.get(Key.BK), values.get(Key.BMM));
            Section first = served.putIfAbsent(shape, read);
            if (first != null) {
                throw fault(read.line(), "the matrix " + shape + " has a tile already, in [" + first.name()
                        + "] of line " + first.line() + "; expected one tile a matrix; remove one of the two sections");
            }
            format.obstacle(shape, tile).ifPresent(reason -> {
                throw fault(read.line(), "the tile " + tile + " (bm/bk/bmm) is not legal for the " + format.label()
                        + " matrix " + shape + ": " + reason + "; " + alternative(format, shape));
            });
            kernels.add(new PlannedKernel(format, shape, tile));
        }
        section = null;
        return kernels;
    }

    private static String alternative(LutFormat format, MatrixShape shape) {
        return KernelPlanner.ranked(format, shape).stream()
                .findFirst()
                .map(best -> "the planner would take " + best)
                .orElseGet(() -> KernelPlanner.noTileFits(format, shape));
    }

    private void requirePlan(KernelPlan plan) {
        Remark remark = remarks.get("plan");
        if (remark != null && !remark.text().equalsIgnoreCase(plan.hash())) {
            throw fault(remark.line(), "edited after it was generated: the plan line says " + shown(remark.text())
                    + ", the kernels give " + plan.hash()
                    + "; remove the plan line to use these tiles, or generate the file again with tern kernels");
        }
    }

    /** @param line from 1, or 0 for the file as a whole; the section that is being read is named as well */
    private KernelPlanException fault(int line, String message) {
        String place = line == 0 ? where : where + ":" + line;
        return new KernelPlanException(place + (section == null ? "" : " [" + section.name() + "]") + ": " + message);
    }

    /** Quoted, on one line, and not longer than a message bears. */
    private static String shown(String text) {
        String printable = text.replaceAll("\\p{Cntrl}", "?");
        boolean whole = printable.length() <= SHOWN_CHARS;
        return "'" + (whole ? printable : printable.substring(0, SHOWN_CHARS) + "...") + "'";
    }
}
