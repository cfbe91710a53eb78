package dev.tern.cli;

import dev.tern.inspect.Inspection;
import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.ProbeFacts;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.inspect.Inspection.TensorFacts;
import dev.tern.inspect.Inspection.TernaryOverview;
import dev.tern.inspect.Inspection.TokenizerFacts;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.TernaryCounts;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** An inspection, for people and as JSON. */
final class InspectionText {
    private InspectionText() {}

    static String text(Inspection inspection, boolean withTensors) {
        StringBuilder text = new StringBuilder();
        row(text, "file", inspection.path().toString());
        row(text, "format", inspection.format() + ", " + Sizes.binary(inspection.bytes()));
        if (!inspection.architecture().isEmpty()) {
            row(text, "architecture", inspection.architecture());
        }
        ModelHyperparameters model = inspection.model();
        if (model != null) {
            row(text, "model", dimensions(model));
        }
        inspection.types()
                .forEach((type, total) -> row(
                        text, type, total.tensors() + (total.tensors() == 1 ? " tensor, " : " tensors, ") + Sizes.binary(total.bytes())));
        inspection.tiles().forEach(kernel -> row(text, "tiles", ConversionText.tile(kernel)));
        TernaryOverview ternary = inspection.ternary();
        if (ternary != null) {
            row(
                    text,
                    "ternary",
                    String.format(
                            Locale.ROOT,
                            "%d tensors, %s weights: %s; scales %.6g to %.6g",
                            ternary.tensors(),
                            Sizes.count(ternary.counts().all()),
                            ConversionText.shares(ternary.counts()),
                            ternary.leastScale(),
                            ternary.largestScale()));
        }
        TokenizerFacts tokenizer = inspection.tokenizer();
        if (tokenizer != null) {
            row(
                    text,
                    "tokenizer",
                    tokenizer.tokens() + " tokens, " + tokenizer.merges() + " merges, pre-tokenizer "
                            + tokenizer.preTokenizer() + "; "
                            + (tokenizer.addBos() ? "puts " + tokenizer.bos() + " in front" : "puts nothing in front")
                            + "; ends with " + String.join(", ", tokenizer.endTokens()) + "; "
                            + (tokenizer.chatTemplate() ? "has" : "has no") + " chat template");
        }
        if (!inspection.outtypes().isEmpty()) {
            row(text, "outtypes", "fits " + String.join(", ", inspection.outtypes()));
        }
        if (inspection.probe() != null) {
            row(text, "probe", probe(inspection.probe()));
        }
        if (withTensors) {
            inspection.tensors().forEach(tensor -> tensor(text, tensor));
        }
        for (Finding finding : inspection.findings()) {
            row(
                    text,
                    ConversionText.word(finding.severity()),
                    finding.text() + (finding.cure().isEmpty() ? "" : " " + finding.cure()) + " [" + finding.kind().id() + "]");
        }
        row(text, "verdict", verdict(inspection));
        return text.toString();
    }

    private static String verdict(Inspection inspection) {
        long errors = inspection.findings().stream().filter(f -> f.severity() == Severity.ERROR).count();
        long warnings = inspection.findings().stream().filter(f -> f.severity() == Severity.WARNING).count();
        if (errors == 0 && warnings == 0) {
            return "nothing is wrong";
        }
        return (errors == 0 ? "usable, " : "broken: " + plural(errors, "error") + (warnings == 0 ? "" : ", "))
                + (warnings == 0 ? "" : plural(warnings, "warning"));
    }

    private static String plural(long count, String noun) {
        return count + " " + noun + (count == 1 ? "" : "s");
    }

    private static String probe(ProbeFacts probe) {
        String text = String.format(
                Locale.ROOT,
                "%.2f nats a token on %d tokens of English (chance is %.2f), in %.1f s",
                probe.negativeLogLikelihood(),
                probe.tokens(),
                probe.chance(),
                probe.seconds());
        if (probe.trials().isEmpty()) {
            return text;
        }
        return text + "; otherwise read: "
                + probe.trials().stream()
                        .map(trial -> String.format(
                                Locale.ROOT,
                                "%s %.2f%s",
                                trial.reading(),
                                trial.negativeLogLikelihood(),
                                trial.better() ? " (better)" : ""))
                        .collect(Collectors.joining(", "));
    }

    private static void row(StringBuilder text, String name, String value) {
        String label = String.format(Locale.ROOT, "%-13s ", name);
        text.append(Wrap.indented(label, value, Terminal.WIDTH)).append('\n');
    }

    private static String dimensions(ModelHyperparameters m) {
        return String.format(
                Locale.ROOT,
                "'%s', %d layers, width %d, feed-forward %d (%s), %d heads of %d, %d key/value heads, vocabulary %d,"
                        + " context %d, %s head%s%s%s",
                m.name(),
                m.layers(),
                m.hiddenSize(),
                m.intermediateSize(),
                m.activation().label(),
                m.heads(),
                m.headDim(),
                m.kvHeads(),
                m.vocabSize(),
                m.contextLength(),
                m.tiedHead() ? "tied" : "its own",
                m.subNorms() ? ", sub-norms" : "",
                m.lowRank().largest() > 0 ? ", low-rank corrections up to rank " + m.lowRank().largest() : "",
                m.diffusionBlock() > 0 ? ", diffusion in blocks of " + m.diffusionBlock() : "");
    }

    private static void tensor(StringBuilder text, TensorFacts tensor) {
        String dims = tensor.dims().stream().map(String::valueOf).collect(Collectors.joining(" x "));
        text.append(String.format(Locale.ROOT, "  %-30s %-6s %15s", tensor.name(), tensor.type(), dims));
        TernaryCounts counts = tensor.counts();
        if (counts != null && tensor.scale() != null) {
            text.append(String.format(
                    Locale.ROOT, "  0: %4.1f %%, s %.6g", 100 * counts.zeroShare(), tensor.scale()));
        }
        text.append('\n');
    }

    static ObjectNode json(Inspection inspection) {
        ObjectNode object = Json.object();
        object.put("kind", inspection.kind().name().toLowerCase(Locale.ROOT));
        object.put("path", inspection.path().toString());
        object.put("bytes", inspection.bytes());
        object.put("format", inspection.format());
        object.put("architecture", inspection.architecture());
        ModelHyperparameters m = inspection.model();
        if (m == null) {
            object.putNull("model");
        } else {
            object.putObject("model")
                    .put("name", m.name())
                    .put("vocab_size", m.vocabSize())
                    .put("context_length", m.contextLength())
                    .put("hidden_size", m.hiddenSize())
                    .put("intermediate_size", m.intermediateSize())
                    .put("layers", m.layers())
                    .put("heads", m.heads())
                    .put("kv_heads", m.kvHeads())
                    .put("head_dim", m.headDim())
                    .put("rope_dims", m.ropeDims())
                    .put("rope_theta", m.ropeTheta())
                    .put("norm_eps", m.normEps())
                    .put("activation", m.activation().label())
                    .put("sub_norms", m.subNorms())
                    .put("tied_head", m.tiedHead())
                    .put("low_rank", m.lowRank().largest())
                    .put("diffusion_block", m.diffusionBlock());
        }
        ObjectNode types = object.putObject("types");
        inspection.types()
                .forEach((type, total) ->
                        types.putObject(type).put("tensors", total.tensors()).put("bytes", total.bytes()));
        ConversionText.putTiles(object, inspection.tiles());
        TernaryOverview ternary = inspection.ternary();
        if (ternary == null) {
            object.putNull("ternary");
        } else {
            ObjectNode node = object.putObject("ternary").put("tensors", ternary.tensors());
            counts(node, ternary.counts());
            node.put("least_scale", ternary.leastScale()).put("largest_scale", ternary.largestScale());
        }
        tokenizer(object, inspection);
        inspection.outtypes().forEach(object.putArray("outtypes")::add);
        probe(object, inspection.probe());
        ArrayNode tensors = object.putArray("tensors");
        inspection.tensors().forEach(tensor -> tensors.add(json(tensor)));
        ArrayNode findings = object.putArray("findings");
        inspection.findings().forEach(finding -> findings.addObject()
                .put("id", finding.kind().id())
                .put("severity", finding.severity().name().toLowerCase(Locale.ROOT))
                .put("text", finding.text())
                .put("cure", finding.cure()));
        return object.put("broken", inspection.broken());
    }

    private static void probe(ObjectNode object, @Nullable ProbeFacts probe) {
        if (probe == null) {
            object.putNull("probe");
            return;
        }
        ObjectNode node = object.putObject("probe")
                .put("tokens", probe.tokens())
                .put("negative_log_likelihood", probe.negativeLogLikelihood())
                .put("chance", probe.chance())
                .put("seconds", probe.seconds());
        ArrayNode trials = node.putArray("trials");
        probe.trials()
                .forEach(trial -> trials.addObject()
                        .put("reading", trial.reading())
                        .put("negative_log_likelihood", trial.negativeLogLikelihood())
                        .put("better", trial.better()));
    }

    private static void tokenizer(ObjectNode object, Inspection inspection) {
        TokenizerFacts tokenizer = inspection.tokenizer();
        if (tokenizer == null) {
            object.putNull("tokenizer");
            return;
        }
        ObjectNode node = object.putObject("tokenizer");
        node.put("tokens", tokenizer.tokens())
                .put("merges", tokenizer.merges())
                .put("pre_tokenizer", tokenizer.preTokenizer())
                .put("add_bos", tokenizer.addBos())
                .put("bos", tokenizer.bos())
                .put("eos", tokenizer.eos())
                .put("chat_template", tokenizer.chatTemplate());
        tokenizer.endTokens().forEach(node.putArray("end_tokens")::add);
    }

    private static ObjectNode json(TensorFacts tensor) {
        ObjectNode node = Json.object();
        node.put("name", tensor.name());
        if (tensor.source() != null) {
            node.put("source", tensor.source());
        }
        node.put("type", tensor.type());
        ArrayNode dims = node.putArray("dims");
        tensor.dims().forEach(dims::add);
        node.put("bytes", tensor.bytes());
        if (tensor.counts() != null) {
            counts(node, tensor.counts());
            node.put("scale", tensor.scale());
        }
        return node;
    }

    private static void counts(ObjectNode node, TernaryCounts counts) {
        node.put("minus", counts.minus()).put("zero", counts.zero()).put("plus", counts.plus());
    }
}
