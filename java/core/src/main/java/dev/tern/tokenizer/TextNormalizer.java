package dev.tern.tokenizer;

import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Base64;
import java.util.List;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;

/**
 * The {@code normalizer} of a tokenizer.json: changes text before it is cut. Composition is Java's, of the Unicode
 * version of the running JDK; characters that a version newer than HF's has assigned may differ. Immutable.
 */
final class TextNormalizer {
    private static final String KEY = "normalizer";

    private final List<UnaryOperator<byte[]>> steps;

    private TextNormalizer(List<UnaryOperator<byte[]>> steps) {
        this.steps = steps;
    }

    static TextNormalizer of(JsonNode json, Object where) {
        return new TextNormalizer(PipelineJson.steps(json, "normalizers").stream().map(step -> step(step, where))
                .toList());
    }

    /** Whether no text is changed. */
    boolean isIdentity() {
        return steps.isEmpty();
    }

    /** The text {@code utf8[from, to)}, normalized. */
    byte[] apply(byte[] utf8, int from, int to) {
        byte[] text = java.util.Arrays.copyOfRange(utf8, from, to);
        for (UnaryOperator<byte[]> step : steps) {
            text = step.apply(text);
        }
        return text;
    }

    private static UnaryOperator<byte[]> step(JsonNode step, Object where) {
        switch (PipelineJson.type(step)) {
            case "NFC" -> {
                return composed(Normalizer.Form.NFC);
            }
            case "NFD" -> {
                return composed(Normalizer.Form.NFD);
            }
            case "NFKC" -> {
                return composed(Normalizer.Form.NFKC);
            }
            case "NFKD" -> {
                return composed(Normalizer.Form.NFKD);
            }
            case "Lowercase" -> {
                return TextNormalizer::lowercase;
            }
            case "StripAccents" -> {
                return text -> replaced(text, 0, text.length,
                        MatchSplitter.characters(CharacterClass.MARK), new byte[0]);
            }
            case "Strip" -> {
                boolean left = step.path("strip_left").asBoolean(true);
                boolean right = step.path("strip_right").asBoolean(true);
                return text -> stripped(text, left, right);
            }
            case "Prepend" -> {
                byte[] prefix = Utf8.encode(step.path("prepend").asString(""));
                return text -> text.length == 0 ? text : joined(prefix, text);
            }
            case "Replace" -> {
                MatchSplitter.Finder finder = PipelineJson.pattern(step, where, KEY);
                byte[] by = Utf8.encode(step.path("content").asString(""));
                return text -> replaced(text, 0, text.length, finder, by);
            }
            case "Precompiled" -> {
                try {
                    byte[] map = Base64.getDecoder().decode(step.path("precompiled_charsmap").asString(""));
                    return new CharacterMap(map, step.path("longest_match").asBoolean(false), where)::apply;
                } catch (IllegalArgumentException e) {
                    throw PipelineJson.unsupported(where, KEY, "a precompiled_charsmap in Base64", step);
                }
            }
            default -> throw PipelineJson.unsupported(
                    where, KEY, "NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace, Precompiled",
                    step);
        }
    }

    private static UnaryOperator<byte[]> composed(Normalizer.Form form) {
        return text -> {
            if (isAscii(text)) {
                return text;
            }
            String string = new String(text, StandardCharsets.UTF_8);
            return Normalizer.isNormalized(string, form) ? text : Utf8.encode(Normalizer.normalize(string, form));
        };
    }

    private static boolean isAscii(byte[] text) {
        for (byte b : text) {
            if (b < 0) {
                return false;
            }
        }
        return true;
    }

    /** Character by character, as Rust's {@code char::to_lowercase}: no final sigma, no language. */
    private static byte[] lowercase(byte[] text) {
        StringBuilder lower = new StringBuilder(text.length);
        new String(text, StandardCharsets.UTF_8).codePoints().forEach(c -> {
            if (c == 0x130) {
                lower.append("i\u0307");
            } else {
                lower.appendCodePoint(Character.toLowerCase(c));
            }
        });
        return Utf8.encode(lower.toString());
    }

    private static byte[] stripped(byte[] text, boolean left, boolean right) {
        int from = 0;
        int to = text.length;
        while (left && from < to
                && CharacterClass.SPACE.contains(Utf8.codePoint(text, from, Utf8.length(text[from])))) {
            from += Utf8.length(text[from]);
        }
        while (right && from < to) {
            int previous = Utf8.previous(text, to);
            if (!CharacterClass.SPACE.contains(Utf8.codePoint(text, previous, to - previous))) {
                break;
            }
            to = previous;
        }
        return java.util.Arrays.copyOfRange(text, from, to);
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] joined = java.util.Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, joined, first.length, second.length);
        return joined;
    }

    /** {@code utf8[from, to)} with every match replaced. */
    static byte[] replaced(byte[] utf8, int from, int to, MatchSplitter.Finder finder, byte[] by) {
        MatchSplitter.Matches matches = new MatchSplitter.Matches();
        finder.find(utf8, from, to, matches);
        return matches.replaced(utf8, from, to, by);
    }
}
