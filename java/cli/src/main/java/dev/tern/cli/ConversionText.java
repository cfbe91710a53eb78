package dev.tern.cli;

import dev.tern.codegen.PlannedKernel;
import dev.tern.convert.ConversionPlan;
import dev.tern.convert.ConversionReport;
import dev.tern.gguf.GgufTensor;
import dev.tern.ternary.TernaryCounts;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Plans and reports of conversions, for people and as JSON. */
final class ConversionText {
    private ConversionText() {}

    static String text(ConversionPlan plan) {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%s: %s%nwould become: %s, %d tensors, %d metadata keys, %s%n",
                plan.checkpoint(),
                source(plan),
                plan.architecture(),
                plan.tensors().size(),
                plan.metadataKeys(),
                Sizes.binary(plan.fileBytes())));
        plan.totals()
                .forEach((type, total) -> text.append(String.format(
                        Locale.ROOT, "  %-6s %5d tensors %12s%n", type, total.tensors(), Sizes.binary(total.bytes()))));
        appendTiles(text, plan);
        return text.toString();
    }

    static String text(ConversionReport report, boolean everyTensor) {
        ConversionPlan plan = report.plan();
        StringBuilder text = new StringBuilder();
        if (everyTensor) {
            for (ConversionReport.Tensor tensor : report.tensors()) {
                text.append(String.format(
                        Locale.ROOT,
                        "%-32s %-6s %6d x %-6d %11s%s%n",
                        tensor.name(),
                        tensor.type(),
                        tensor.rows(),
                        tensor.cols(),
                        Sizes.binary(tensor.bytes()),
                        tensor.ternary() == null
                                ? ""
                                : "  " + shares(tensor.ternary().counts()) + ", s " + tensor.ternary().storedScale()));
            }
        }
        TernaryCounts counts = counts(report);
        text.append(String.format(
                Locale.ROOT,
                "%s: %s, %s, embeddings %s, %s%n",
                report.file(),
                plan.architecture(),
                plan.outtype().label(),
                plan.embeddingType().toString().toLowerCase(Locale.ROOT),
                Sizes.binary(plan.fileBytes())));
        appendTiles(text, plan);
        text.append(String.format(
                Locale.ROOT,
                "from %s: %s, %s, in %.2f s (%s/s)%n",
                plan.checkpoint(),
                source(plan),
                Sizes.binary(report.checkpointBytes()),
                report.seconds(),
                Sizes.binary((long) report.bytesPerSecond())));
        if (counts.all() > 0) {
            text.append("ternary values: ").append(shares(counts)).append('\n');
        }
        if (report.validation() != null) {
            text.append(ValidationText.text(report.validation(), false));
        }
        return text.append("sha256 ").append(report.sha256()).append('\n').toString();
    }

    private static void appendTiles(StringBuilder text, ConversionPlan plan) {
        plan.tiles().kernels().forEach(kernel -> text.append("  ").append(tile(kernel)).append('\n'));
    }

    /** A shape and its tile: {@code 512x1536 in tl2 tiles of 256/96/32 (BM/BK/bm)}. */
    static String tile(PlannedKernel kernel) {
        return kernel.shape() + " in " + kernel.format().label() + " tiles of " + kernel.tile() + " (BM/BK/bm)";
    }

    /** Every shape and its tile, the numbers named as in kernel_config.ini. */
    static void putTiles(ObjectNode object, List<PlannedKernel> kernels) {
        ArrayNode tiles = object.putArray("tiles");
        for (PlannedKernel kernel : kernels) {
            tiles.addObject()
                    .put("format", kernel.format().label())
                    .put("m", kernel.shape().rows())
                    .put("k", kernel.shape().cols())
                    .put("bm", kernel.tile().rows())
                    .put("bk", kernel.tile().cols())
                    .put("bmm", kernel.tile().rowBlock());
        }
    }

    /** All ternary values of the model. */
    static TernaryCounts counts(ConversionReport report) {
        TernaryCounts sum = new TernaryCounts(0, 0, 0);
        for (ConversionReport.Tensor tensor : report.tensors()) {
            if (tensor.ternary() != null) {
                sum = sum.plus(tensor.ternary().counts());
            }
        }
        return sum;
    }

    /** The shares of the three values. */
    static String shares(TernaryCounts counts) {
        double all = Math.max(1, counts.all());
        return String.format(
                Locale.ROOT,
                "-1 %.1f %%, 0 %.1f %%, +1 %.1f %%",
                100 * counts.minus() / all,
                100 * counts.zero() / all,
                100 * counts.plus() / all);
    }

    /** How the source stores its ternary matrices. */
    private static String source(ConversionPlan plan) {
        return plan.format() == null ? "gguf" : word(plan.format());
    }

    /** An enum constant as a word for people: {@code TERNARY_FLOATS} is {@code ternary floats}. */
    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    static ObjectNode json(ConversionPlan plan) {
        ObjectNode object = Json.object();
        object.put("checkpoint", plan.checkpoint().toString());
        object.put("format", source(plan).replace(' ', '_'));
        object.put("architecture", plan.architecture());
        object.put("outtype", plan.outtype().label());
        putTiles(object, plan.tiles().kernels());
        object.put("embedding_type", plan.embeddingType().toString().toLowerCase(Locale.ROOT));
        object.put("file_bytes", plan.fileBytes());
        object.put("metadata_keys", plan.metadataKeys());
        ObjectNode totals = object.putObject("totals");
        plan.totals()
                .forEach((type, total) -> totals.putObject(type.toString())
                        .put("tensors", total.tensors())
                        .put("bytes", total.bytes()));
        ArrayNode tensors = object.putArray("tensors");
        for (GgufTensor tensor : plan.tensors()) {
            ObjectNode entry = tensors.addObject();
            entry.put("name", tensor.name()).put("type", tensor.type().toString());
            ArrayNode dims = entry.putArray("dims");
            Arrays.stream(tensor.dims()).forEach(dims::add);
            entry.put("bytes", tensor.byteSize());
        }
        plan.notes().forEach(object.putArray("notes")::add);
        return object;
    }

    static ObjectNode json(ConversionReport report) {
        ObjectNode object = Json.object();
        ConversionPlan plan = report.plan();
        object.put("file", report.file().toString());
        object.put("sha256", report.sha256());
        object.put("file_bytes", plan.fileBytes());
        object.put("checkpoint", plan.checkpoint().toString());
        object.put("format", source(plan).replace(' ', '_'));
        object.put("architecture", plan.architecture());
        object.put("outtype", plan.outtype().label());
        putTiles(object, plan.tiles().kernels());
        object.put("embedding_type", plan.embeddingType().toString().toLowerCase(Locale.ROOT));
        object.put("seconds", report.seconds());
        object.put("checkpoint_bytes", report.checkpointBytes());
        object.put("bytes_per_second", report.bytesPerSecond());
        ArrayNode tensors = object.putArray("tensors");
        for (ConversionReport.Tensor tensor : report.tensors()) {
            ObjectNode entry = tensors.addObject();
            entry.put("name", tensor.name())
                    .put("source", tensor.source())
                    .put("type", tensor.type().toString())
                    .put("rows", tensor.rows())
                    .put("cols", tensor.cols())
                    .put("bytes", tensor.bytes());
            ConversionReport.Ternary ternary = tensor.ternary();
            if (ternary != null) {
                entry.put("minus", ternary.counts().minus())
                        .put("zero", ternary.counts().zero())
                        .put("plus", ternary.counts().plus())
                        .put("scale", ternary.scale())
                        .put("stored_scale", ternary.storedScale())
                        .put("sha256", ternary.sha256());
            }
        }
        if (report.validation() != null) {
            object.set("validation", ValidationText.json(report.validation()));
        }
        report.notes().forEach(object.putArray("notes")::add);
        return object;
    }
}
