package dev.tern.checkpoint;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The {@code quantization_config} of transformers' BitNet quantizer. Only what the tensors themselves cannot tell is
 * taken from it; that a matrix is packed shows in its type.
 *
 * @param declared whether the configuration says that the model is quantized by BitNet
 * @param scaleDirection what a packed matrix's {@code weight_scale} is
 */
record QuantizationConfig(boolean declared, ScaleDirection scaleDirection) {
    /** Modules that are projections or contain some; lm_head, embeddings and norms are never quantized anyway. */
    private static final Pattern PROJECTIONS = Pattern.compile("_proj|mlp|self_attn|layers");

    static QuantizationConfig read(Path file, ObjectNode config, List<String> notes) {
        JsonNode node = config.get("quantization_config");
        if (node == null || node.isNull()) {
            // transformers' class without a configuration; the direction matters only where a weight_scale exists.
            return new QuantizationConfig(false, ScaleDirection.INVERSE);
        }
        if (!node.isObject()) {
            throw key(file, "").expected("an object").found(JsonFile.shown(node)).exception();
        }
        String method = node.path("quant_method").asString("bitnet");
        if (!method.equals("bitnet")) {
            throw key(file, ".quant_method")
                    .problem("only BitNet's ternary quantization is supported")
                    .expected("'bitnet'")
                    .found("'" + method + "'")
                    .exception();
        }
        String mode = node.path("quantization_mode").asString("offline");
        if (!mode.equals("offline") && !mode.equals("online")) {
            throw key(file, ".quantization_mode").expected("'online' or 'offline'").found("'" + mode + "'").exception();
        }
        if (node.path("use_rms_norm").asBoolean(false)) {
            throw key(file, ".use_rms_norm").problem("a norm inside every projection is not supported").exception();
        }
        refuseFloatProjections(file, node.path("modules_to_not_convert"));
        return new QuantizationConfig(true, direction(file, node.path("linear_class").asString("bitlinear")));
    }

    private static ScaleDirection direction(Path file, String linearClass) {
        return switch (linearClass) {
            case "bitlinear" -> ScaleDirection.INVERSE;
            case "autobitlinear" -> ScaleDirection.DIRECT;
            default -> throw key(file, ".linear_class")
                    .expected("'bitlinear' or 'autobitlinear'")
                    .found("'" + linearClass + "'")
                    .exception();
        };
    }

    private static void refuseFloatProjections(Path file, JsonNode modules) {
        for (JsonNode module : modules) {
            if (PROJECTIONS.matcher(module.asString("")).find()) {
                throw key(file, ".modules_to_not_convert")
                        .problem("models with projections that stay real-valued are not supported")
                        .found(JsonFile.shown(module))
                        .exception();
            }
        }
    }

    private static InputException.Builder key(Path file, String suffix) {
        return InputException.at(file).key("quantization_config" + suffix);
    }
}
