package dev.tern.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The {@code decoder} of a tokenizer.json: how tokens become text. Immutable.
 *
 * @param byteLevel whether tokens spell bytes in the byte alphabet; then nothing else applies
 * @param replacements in a token's text, one after the other
 * @param bytes whether tokens {@code <0x00>} to {@code <0xFF>} are bytes: a run of them is a text if it is UTF-8, and
 *     otherwise one U+FFFD for each
 * @param stripped what is taken off the front of the whole, or null
 * @param stripCount how often at most
 * @param unmarked what the first token leaves out of its text, or null
 */
record PieceDecoding(
        boolean byteLevel,
        List<Replacement> replacements,
        boolean bytes,
        @Nullable String stripped,
        int stripCount,
        @Nullable String unmarked) {

    record Replacement(String what, String by) {}

    private static final String KEY = "decoder";

    static PieceDecoding of(JsonNode json, Object where) {
        List<JsonNode> steps = PipelineJson.steps(json, "decoders");
        if (steps.size() == 1 && PipelineJson.type(steps.getFirst()).equals("ByteLevel")) {
            return new PieceDecoding(true, List.of(), false, null, 0, null);
        }
        List<Replacement> replacements = new ArrayList<>();
        boolean bytes = false;
        boolean fused = false;
        String stripped = null;
        int stripCount = 0;
        String unmarked = null;
        for (JsonNode step : steps) {
            boolean known = switch (PipelineJson.type(step)) {
                case "Replace" -> !fused && !bytes && step.path("pattern").path("String").isString();
                case "ByteFallback" -> !fused && !bytes && unmarked == null;
                case "Fuse" -> !fused;
                // Of each token's own text, not of the whole, before Fuse.
                case "Strip" -> fused && stripped == null && step.path("stop").asInt(0) == 0
                        && step.path("content").asString("").length() == 1;
                case "Metaspace" -> steps.size() == 1 || steps.size() == 2 && !fused;
                default -> false;
            };
            if (!known) {
                throw PipelineJson.unsupported(
                        where,
                        KEY,
                        "ByteLevel; or Metaspace; or Replace of a string, ByteFallback, Fuse, Strip in front, in"
                                + " this order",
                        json);
            }
            switch (PipelineJson.type(step)) {
                case "Replace" -> replacements.add(new Replacement(
                        step.path("pattern").path("String").stringValue(), step.path("content").asString("")));
                case "ByteFallback" -> bytes = true;
                case "Strip" -> {
                    stripped = step.path("content").stringValue();
                    stripCount = step.path("start").asInt(0);
                }
                case "Metaspace" -> {
                    String mark = step.path("replacement").asString("\u2581");
                    String scheme = step.path("prepend_scheme")
                            .asString(step.path("add_prefix_space").asBoolean(true) ? "always" : "never");
                    replacements.add(new Replacement(mark, " "));
                    unmarked = scheme.equals("never") ? null : mark;
                }
                default -> fused = true;
            }
        }
        return new PieceDecoding(false, List.copyOf(replacements), bytes, stripped, stripCount, unmarked);
    }

    /** The byte that the token stands for, or −1. */
    int byteOf(String token) {
        return bytes ? byteToken(token) : -1;
    }

    /** The byte of {@code <0x00>} to {@code <0xFF>}, or −1. */
    static int byteToken(String token) {
        if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
            return -1;
        }
        int high = Character.digit(token.charAt(3), 16);
        int low = Character.digit(token.charAt(4), 16);
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }

    /** The text of a token that is no byte. */
    String text(String token, boolean first) {
        String text = first && unmarked != null ? token.replace(unmarked, "") : token;
        for (Replacement replacement : replacements) {
            text = text.replace(replacement.what(), replacement.by());
        }
        return text;
    }

    /** Text of tokens that come one by one. Not thread-safe. */
    final class Assembly {
        private byte[] run = new byte[16];
        private int runLength;
        private final boolean continues;
        private boolean first;
        private int strips;

        private Assembly(boolean continues) {
            this.continues = continues;
            restart();
        }

        private void restart() {
            first = !continues;
            strips = continues ? 0 : stripCount;
        }

        /** Takes a token; appends the text that is certain by now. */
        void add(String token, StringBuilder out) {
            int b = byteOf(token);
            if (b >= 0) {
                if (runLength == run.length) {
                    run = java.util.Arrays.copyOf(run, runLength * 2);
                }
                run[runLength++] = (byte) b;
            } else {
                flush(out);
                append(text(token, first), out);
            }
            first = false;
        }

        /** Appends what was held back; the assembly is then as new. */
        void finish(StringBuilder out) {
            flush(out);
            restart();
        }

        private void flush(StringBuilder out) {
            if (runLength > 0) {
                boolean valid = Utf8.isValid(run, runLength);
                append(valid ? new String(run, 0, runLength, StandardCharsets.UTF_8) : "\uFFFD".repeat(runLength), out);
                runLength = 0;
            }
        }

        private void append(String text, StringBuilder out) {
            int from = 0;
            while (strips > 0 && from < text.length()) {
                if (stripped == null || text.charAt(from) != stripped.charAt(0)) {
                    strips = 0;
                } else {
                    strips--;
                    from++;
                }
            }
            out.append(text, from, text.length());
        }
    }

    /** @param continues whether the tokens continue a text: then nothing is taken off their front */
    Assembly assembly(boolean continues) {
        return new Assembly(continues);
    }
}
