package dev.tern.cli;

import dev.tern.convert.ValidationReport;
import dev.tern.convert.ValidationReport.Graph;
import dev.tern.convert.ValidationReport.Matrix;
import dev.tern.convert.ValidationReport.Proof;
import dev.tern.ternary.TernaryCounts;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Reports of validations, for people and as JSON. */
final class ValidationText {
    private static final int SHOWN_PROBLEMS = 10;

    private ValidationText() {}

    /** The verdict first, then what was compared, a line each; {@code everyMatrix} lists the matrices in front. */
    static String text(ValidationReport report, boolean everyMatrix) {
        StringBuilder text = new StringBuilder();
        Proof proof = report.proof();
        if (everyMatrix && proof != null) {
            proof.matrices().forEach(matrix -> matrix(text, matrix));
        }
        if (!report.ok()) {
            problems(text, report);
            return text.toString();
        }
        if (proof == null) {
            text.append(String.format(
                    Locale.ROOT,
                    "valid: %d tensors, of them %d ternary with %s weights, all codes -1, 0 or +1; %s%n",
                    report.tensors(),
                    report.ternaryTensors(),
                    Sizes.count(report.ternaryWeights()),
                    Sizes.time((long) (report.seconds() * 1e9))));
            report.notes().forEach(note -> row(text, "note", note));
            return text.toString();
        }
        text.append(String.format(
                Locale.ROOT,
                "valid: %d ternary tensors, %s weights, every one as in the checkpoint; %s%n",
                report.ternaryTensors(),
                Sizes.count(report.ternaryWeights()),
                Sizes.time((long) (report.seconds() * 1e9))));
        row(text, "values", ConversionText.shares(counts(proof)));
        row(text, "scales", report.scaleBound());
        row(text, "tokenizer", proof.texts() + " texts in many scripts: the same tokens, " + proof.restored() + " come back whole");
        Graph graph = proof.graph();
        if (graph != null) {
            row(text, "models", graph(graph));
        }
        report.notes().forEach(note -> row(text, "note", note));
        String sha256 = proof.sha256();
        row(text, "file", Sizes.binary(proof.fileBytes()) + (sha256 == null ? "" : ", sha256 " + sha256));
        return text.toString();
    }

    private static void problems(StringBuilder text, ValidationReport report) {
        text.append("NOT valid: ").append(report.file()).append('\n');
        report.problems().stream()
                .limit(SHOWN_PROBLEMS)
                .forEach(problem -> text.append("  ").append(problem).append('\n'));
        int more = report.problems().size() - SHOWN_PROBLEMS;
        if (more > 0) {
            text.append("  and ").append(more).append(" more; --json lists all\n");
        }
    }

    private static void row(StringBuilder text, String name, String value) {
        text.append(String.format(Locale.ROOT, "  %-10s %s%n", name, value));
    }

    private static String graph(Graph graph) {
        String same = graph.bitEqual()
                ? "logits equal bit for bit"
                : String.format(
                        Locale.ROOT,
                        "the same next token at %d of %d positions, logits off by %.2g of their spread at most",
                        graph.agreeing(),
                        graph.positions(),
                        graph.deviation());
        return String.format(
                Locale.ROOT,
                "checkpoint and file on %d tokens and %d that follow greedily: %s",
                graph.prompt(),
                graph.continuation().size(),
                same);
    }

    private static void matrix(StringBuilder text, Matrix matrix) {
        text.append(String.format(
                Locale.ROOT,
                "%-28s %-6s %6d x %-6d %s, s %.6g -> %.6g, T %s%n",
                matrix.name(),
                matrix.type(),
                matrix.rows(),
                matrix.cols(),
                ConversionText.shares(matrix.counts()),
                matrix.scale(),
                matrix.storedScale(),
                matrix.sha256().substring(0, 12)));
    }

    private static TernaryCounts counts(Proof proof) {
        return proof.matrices().stream().map(Matrix::counts).reduce(new TernaryCounts(0, 0, 0), TernaryCounts::plus);
    }

    static ObjectNode json(ValidationReport report) {
        ObjectNode object = Json.object();
        object.put("file", report.file().toString());
        object.put("against", report.against() == null ? null : report.against().toString());
        object.put("ok", report.ok());
        object.put("tensors", report.tensors());
        object.put("ternary_tensors", report.ternaryTensors());
        object.put("ternary_weights", report.ternaryWeights());
        object.put("scale_bound", report.scaleBound());
        report.problems().forEach(object.putArray("problems")::add);
        report.notes().forEach(object.putArray("notes")::add);
        Proof proof = report.proof();
        if (proof != null) {
            proof(object, proof);
        }
        object.put("seconds", report.seconds());
        return object;
    }

    private static void proof(ObjectNode object, Proof proof) {
        object.put("file_bytes", proof.fileBytes());
        if (proof.sha256() != null) {
            object.put("sha256", proof.sha256());
        }
        object.putObject("tokenizer").put("texts", proof.texts()).put("restored", proof.restored());
        Graph graph = proof.graph();
        if (graph == null) {
            object.putNull("graph");
        } else {
            ObjectNode node = object.putObject("graph").put("prompt", graph.prompt());
            graph.continuation().forEach(node.putArray("continuation")::add);
            node.put("positions", graph.positions())
                    .put("agreeing", graph.agreeing())
                    .put("bit_equal", graph.bitEqual())
                    .put("deviation", graph.deviation());
        }
        TernaryCounts all = counts(proof);
        object.putObject("totals").put("minus", all.minus()).put("zero", all.zero()).put("plus", all.plus());
        ArrayNode matrices = object.putArray("matrices");
        for (Matrix matrix : proof.matrices()) {
            matrices.addObject()
                    .put("name", matrix.name())
                    .put("source", matrix.source())
                    .put("type", matrix.type().toString())
                    .put("rows", matrix.rows())
                    .put("cols", matrix.cols())
                    .put("bytes", matrix.bytes())
                    .put("minus", matrix.counts().minus())
                    .put("zero", matrix.counts().zero())
                    .put("plus", matrix.counts().plus())
                    .put("scale", matrix.scale())
                    .put("stored_scale", matrix.storedScale())
                    .put("sha256", matrix.sha256());
        }
    }
}
