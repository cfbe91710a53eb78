package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What a tokenizer.json describes. Everything in it that bears on ids is something that {@link Tokenizer} does, or
 * refused: a wrong guess would be silent nonsense.
 *
 * @param kind of model
 * @param pipeline how text becomes words, and tokens text
 * @param ignoreMerges {@code model.ignore_merges}
 * @param byteFallback {@code model.byte_fallback}
 * @param fuseUnknown {@code model.fuse_unk}
 * @param unknown the model's token for what it cannot spell, if any
 * @param addsFirst the token that the post-processor puts in front, if any
 * @param addsLast the token that it puts behind, if any
 */
record TokenizerJson(
        Kind kind,
        TextPipeline pipeline,
        boolean ignoreMerges,
        boolean byteFallback,
        boolean fuseUnknown,
        @Nullable String unknown,
        @Nullable Integer addsFirst,
        @Nullable Integer addsLast) {

    enum Kind { BYTE_PAIRS, CHARACTER_PAIRS, UNIGRAM }

    static TokenizerJson check(JsonNode json, Path file) {
        return new Checker(file).check(json);
    }

    private record Checker(Path file) {

        TokenizerJson check(JsonNode json) {
            JsonNode model = json.path("model");
            TextPipeline pipeline = TextPipeline.of(json);
            pipeline.normalizer(file);
            boolean byteLevel = pipeline.preTokenizer(file).byteLevel();
            boolean decodesBytes = pipeline.decoding(file).byteLevel();
            Kind kind = kind(model, byteLevel);
            if (decodesBytes != (kind == Kind.BYTE_PAIRS)) {
                throw unsupported("decoder", byteLevel ? "ByteLevel" : "another than ByteLevel",
                        List.of(json.path("decoder")));
            }
            Template template = template(flattened(json.path("post_processor"), "processors"));
            return new TokenizerJson(
                    kind,
                    pipeline,
                    model.path("ignore_merges").asBoolean(false),
                    model.path("byte_fallback").asBoolean(false),
                    model.path("fuse_unk").asBoolean(false),
                    unknown(model, kind),
                    template.first,
                    template.last);
        }

        private Kind kind(JsonNode model, boolean byteLevel) {
            // Files of the library's first versions name no type: then it is BPE if it has merges.
            String type = model.path("type").asString(model.has("merges") ? "BPE" : "");
            if (type.equals("Unigram") && !byteLevel) {
                return Kind.UNIGRAM;
            }
            if (!type.equals("BPE")) {
                throw unsupported("model.type", byteLevel ? "BPE" : "BPE or Unigram", List.of(model.path("type")));
            }
            for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
                if (!model.path(affix).asString("").isEmpty()) {
                    throw unsupported("model." + affix, "none", List.of(model.path(affix)));
                }
            }
            if (model.path("dropout").isNumber() && model.path("dropout").doubleValue() != 0) {
                throw unsupported("model.dropout", "none", List.of(model.path("dropout")));
            }
            for (String flag : byteLevel ? List.of("fuse_unk", "byte_fallback") : List.<String>of()) {
                if (model.path(flag).asBoolean(false)) {
                    throw unsupported("model." + flag, "false", List.of(model.path(flag)));
                }
            }
            return byteLevel ? Kind.BYTE_PAIRS : Kind.CHARACTER_PAIRS;
        }

        /** By name in BPE, by number in Unigram. */
        private static @Nullable String unknown(JsonNode model, Kind kind) {
            JsonNode token = kind == Kind.UNIGRAM
                    ? model.path("vocab").path(model.path("unk_id").asInt(-1)).path(0)
                    : model.path("unk_token");
            return kind != Kind.BYTE_PAIRS && token.isString() ? token.stringValue() : null;
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
            return PipelineJson.steps(node, children);
        }

        private static String type(JsonNode node) {
            return node.path("type").asString("");
        }

        private InputException unsupported(String key, String expected, List<JsonNode> found) {
            return PipelineJson.unsupported(file, key, expected, found);
        }
    }
}
