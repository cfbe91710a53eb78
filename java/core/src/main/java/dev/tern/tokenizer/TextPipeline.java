package dev.tern.tokenizer;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What happens to text before the model and behind it, in the words of Hugging Face's tokenizer.json: JSON, or
 * {@code "null"} where there is nothing. Brought into one form (no sequences in sequences, members in order, defaults
 * written out, nothing without effect), so that pipelines that do the same are mostly equal.
 *
 * @param normalizer changes text
 * @param preTokenizer cuts it into words
 * @param decoder makes text of tokens
 */
public record TextPipeline(String normalizer, String preTokenizer, String decoder) {

    /** @throws InputException when one of the parts is not JSON */
    public TextPipeline {
        normalizer = canonical(normalizer, "normalizer", "normalizers");
        preTokenizer = canonical(preTokenizer, "pre_tokenizer", "pretokenizers");
        decoder = canonical(decoder, "decoder", "decoders");
    }

    /** Of a tokenizer.json, or of an object with its three members. */
    static TextPipeline of(JsonNode json) {
        return new TextPipeline(member(json, "normalizer"), member(json, "pre_tokenizer"), member(json, "decoder"));
    }

    private static String member(JsonNode json, String name) {
        JsonNode node = json.path(name);
        return node.isMissingNode() ? "null" : PipelineJson.text(node);
    }

    /**
     * SentencePiece without a character map, as HF writes it for Llama 2.
     *
     * @param prefix whether a space goes in front of a text, and off its front again
     */
    static TextPipeline sentencePiece(boolean prefix) {
        String replace = "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\u2581\"}";
        String back = "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\u2581\"},\"content\":\" \"},"
                + "{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}";
        return prefix
                ? new TextPipeline(
                        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"\u2581\"},"
                                + replace + "]}",
                        "null",
                        "{\"type\":\"Sequence\",\"decoders\":[" + back
                                + ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}")
                : new TextPipeline(replace, "null", "{\"type\":\"Sequence\",\"decoders\":[" + back + "]}");
    }

    /** One object with the three members. */
    ObjectNode json() {
        ObjectNode json = JsonMapper.shared().createObjectNode();
        json.set("normalizer", parsed(normalizer, "normalizer"));
        json.set("pre_tokenizer", parsed(preTokenizer, "pre_tokenizer"));
        json.set("decoder", parsed(decoder, "decoder"));
        return json;
    }

    /** @throws InputException naming what is not known */
    TextNormalizer normalizer(Object where) {
        return TextNormalizer.of(parsed(normalizer, "normalizer"), where);
    }

    /** @throws InputException naming what is not known */
    PreTokenizerSteps preTokenizer(Object where) {
        return PreTokenizerSteps.of(parsed(preTokenizer, "pre_tokenizer"), where);
    }

    /** @throws InputException naming what is not known */
    PieceDecoding decoding(Object where) {
        return PieceDecoding.of(parsed(decoder, "decoder"), where);
    }

    private static JsonNode parsed(String text, String key) {
        return JsonFile.parse(("{\"value\":" + text + "}").getBytes(StandardCharsets.UTF_8), key).path("value");
    }

    private static String canonical(String text, String key, String children) {
        List<JsonNode> steps = new ArrayList<>();
        for (JsonNode step : PipelineJson.steps(parsed(text, key), children)) {
            steps.add(ordered(explicit(step, key)));
        }
        if (steps.isEmpty()) {
            return "null";
        }
        if (steps.size() == 1) {
            return PipelineJson.text(steps.getFirst());
        }
        ObjectNode sequence = JsonMapper.shared().createObjectNode().put("type", "Sequence");
        ArrayNode list = sequence.putArray(children);
        steps.forEach(list::add);
        return PipelineJson.text(sequence);
    }

    private static JsonNode explicit(JsonNode step, String key) {
        if (!(step instanceof ObjectNode object)) {
            return step;
        }
        ObjectNode plain = object.deepCopy();
        plain.remove(List.of("trim_offsets", "str_rep"));
        if (PipelineJson.type(plain).equals("ByteLevel")) {
            boolean prefix = plain.path("add_prefix_space").asBoolean(true);
            boolean regex = plain.path("use_regex").asBoolean(true);
            plain.remove(List.of("add_prefix_space", "use_regex"));
            if (key.equals("pre_tokenizer")) {
                plain.put("add_prefix_space", prefix).put("use_regex", regex);
            }
        }
        return PreTokenizer.plain(plain);
    }

    /** The type, then the other members by name. */
    private static JsonNode ordered(JsonNode node) {
        if (!(node instanceof ObjectNode object)) {
            return node;
        }
        ObjectNode ordered = JsonMapper.shared().createObjectNode();
        if (object.has("type")) {
            ordered.set("type", object.get("type"));
        }
        TreeMap<String, JsonNode> members = new TreeMap<>();
        object.properties().forEach(member -> members.put(member.getKey(), ordered(member.getValue())));
        members.remove("type");
        members.forEach(ordered::set);
        return ordered;
    }
}
