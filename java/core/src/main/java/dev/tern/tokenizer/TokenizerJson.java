package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Which of the known tokenizers a tokenizer.json describes. Everything in it that bears on ids is compared with what
 * {@link Tokenizer} does, and refused when it is something else: a wrong guess would be silent nonsense.
 *
 * @param preTokenizer how text is cut
 * @param ignoreMerges {@code model.ignore_merges}
 * @param addsFirst the token that the post-processor puts in front, if any
 * @param addsLast the token that it puts behind, if any
 */
record TokenizerJson(
        PreTokenizer preTokenizer, boolean ignoreMerges, @Nullable Integer addsFirst, @Nullable Integer addsLast) {

    static TokenizerJson check(JsonNode json, Path file) {
        return new Checker(file).check(json);
    }

    private record Checker(Path file) {

        TokenizerJson check(JsonNode json) {
            checkModel(json.path("model"));
            List<JsonNode> normalizers = flattened(json.path("normalizer"), "normalizers");
            if (!normalizers.isEmpty()) {
                throw unsupported("normalizer", "none", normalizers);
            }
            List<JsonNode> decoders = flattened(json.path("decoder"), "decoders");
            if (decoders.size() != 1 || !type(decoders.getFirst()).equals("ByteLevel")) {
                throw unsupported("decoder", "ByteLevel", decoders);
            }
            Template template = template(flattened(json.path("post_processor"), "processors"));
            return new TokenizerJson(
                    preTokenizer(flattened(json.path("pre_tokenizer"), "pretokenizers")),
                    json.path("model").path("ignore_merges").asBoolean(false),
                    template.first,
                    template.last);
        }

        private void checkModel(JsonNode model) {
            // Files of the library's first versions name no type: then it is BPE if it has merges.
            String type = model.path("type").asString(model.has("merges") ? "BPE" : "");
            if (!type.equals("BPE")) {
                throw unsupported("model.type", "BPE", List.of(model.path("type")));
            }
            for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
                if (!model.path(affix).asString("").isEmpty()) {
                    throw unsupported("model." + affix, "none", List.of(model.path(affix)));
                }
            }
            if (model.path("dropout").isNumber() && model.path("dropout").doubleValue() != 0) {
                throw unsupported("model.dropout", "none", List.of(model.path("dropout")));
            }
            for (String flag : List.of("fuse_unk", "byte_fallback")) {
                if (model.path(flag).asBoolean(false)) {
                    throw unsupported("model." + flag, "false", List.of(model.path(flag)));
                }
            }
        }

        private PreTokenizer preTokenizer(List<JsonNode> parts) {
            if (parts.size() == 1
                    && isByteLevel(parts.getFirst())
                    && parts.getFirst().path("use_regex").asBoolean(true)) {
                return PreTokenizer.GPT2;
            }
            if (parts.size() == 2
                    && type(parts.getFirst()).equals("Split")
                    && isByteLevel(parts.getLast())
                    && !parts.getLast().path("use_regex").asBoolean(true)) {
                JsonNode split = parts.getFirst();
                String how = split.path("behavior").asString("").toLowerCase(Locale.ROOT) + split.path("invert").asBoolean(false);
                for (PreTokenizer known : PreTokenizer.values()) {
                    // The patterns leave nothing between two matches, so "keep both" and "drop what is between" are one.
                    if (split.path("pattern").path("Regex").asString("").equals(known.pattern())
                            && (how.equals("isolatedfalse") || how.equals("removedtrue"))) {
                        return known;
                    }
                }
            }
            throw unsupported(
                    "pre_tokenizer",
                    "that of Llama 3 (Split by its pattern, then ByteLevel without one) or of GPT-2 (ByteLevel with its pattern)",
                    parts);
        }

        private static boolean isByteLevel(JsonNode node) {
            return type(node).equals("ByteLevel") && !node.path("add_prefix_space").asBoolean(true);
        }

        private record Template(@Nullable Integer first, @Nullable Integer last) {}

        /** TemplateProcessing with at most one special token on each side of the text; ByteLevel here changes no id. */
        private Template template(List<JsonNode> processors) {
            Template template = new Template(null, null);
            for (JsonNode processor : processors) {
                switch (type(processor)) {
                    case "ByteLevel" -> { }
                    case "TemplateProcessing" -> template = template(processor, processors);
                    default -> throw unsupported("post_processor", "ByteLevel or TemplateProcessing", processors);
                }
            }
            return template;
        }

        private Template template(JsonNode processor, List<JsonNode> all) {
            Integer first = null;
            Integer last = null;
            boolean text = false;
            for (JsonNode step : processor.path("single")) {
                if (step.has("Sequence") && !text) {
                    text = true;
                } else if (step.has("SpecialToken") && (text ? last : first) == null) {
                    String name = step.path("SpecialToken").path("id").asString("");
                    JsonNode ids = processor.path("special_tokens").path(name).path("ids");
                    if (ids.size() != 1 || !ids.get(0).canConvertToInt()) {
                        throw unsupported("post_processor", "one id for '" + name + "'", all);
                    }
                    if (text) {
                        last = ids.get(0).intValue();
                    } else {
                        first = ids.get(0).intValue();
                    }
                } else {
                    throw unsupported("post_processor", "a template of at most one token, the text, at most one token", all);
                }
            }
            return new Template(first, last);
        }

        private static List<JsonNode> flattened(JsonNode node, String children) {
            if (node.isMissingNode() || node.isNull()) {
                return List.of();
            }
            if (!type(node).equals("Sequence")) {
                return List.of(node);
            }
            List<JsonNode> parts = new ArrayList<>();
            for (JsonNode child : node.path(children)) {
                parts.addAll(flattened(child, children));
            }
            return parts;
        }

        private static String type(JsonNode node) {
            return node.path("type").asString("");
        }

        private InputException unsupported(String key, String expected, List<JsonNode> found) {
            String text = found.toString();
            return InputException.at(file)
                    .key(key)
                    .problem("this version of Tern does not have this kind of tokenizer")
                    .expected(expected)
                    .found(text.length() > 400 ? text.substring(0, 400) + "…" : text)
                    .exception();
        }
    }
}
