package dev.tern.cli;

import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.ModelShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.tune.KernelTuner;
import dev.tern.tune.TimedTile;
import dev.tern.tune.TunedShape;
import dev.tern.tune.Tuning;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Reports of {@code tern kernels}, for people and as JSON. */
final class KernelsText {
    private KernelsText() {}

    static String text(KernelsReport report, boolean everyTile) {
        StringBuilder text = new StringBuilder();
        report.model().ifPresent(model -> text.append(model.source()).append(": ").append(words(model)).append('\n'));
        appendPlan(text, report);
        report.tuning().ifPresent(tuning -> appendTuning(text, tuning, everyTile));
        if (!report.candidates().isEmpty()) {
            appendCandidates(text, report);
        }
        report.files().forEach((file, changed) -> {
            String verb = !changed ? "unchanged " : report.dryRun() ? "would write " : "wrote ";
            text.append(verb).append(file).append('\n');
        });
        if (report.bitnetCpp()) {
            Map<LutFormat, String> switches =
                    Map.of(LutFormat.TL2, "-DBITNET_X86_TL2=ON", LutFormat.TL1, "-DBITNET_ARM_TL1=ON");
            String use = "put both into its include folder and build it with "
                    + switches.get(report.plan().kernels().getFirst().format());
            text.append(Wrap.indented("for bitnet.cpp: ", use, Terminal.WIDTH)).append('\n');
        }
        report.library().ifPresent(library ->
                text.append(library.built() ? "built " : "built before: ").append(library.file()).append('\n'));
        text.append(Wrap.indented("libtern ", libtern(report), Terminal.WIDTH)).append('\n');
        return text.toString();
    }

    private static String words(ModelMatrices matrices) {
        ModelShape model = matrices.model();
        String widths = "hidden " + model.hiddenSize() + ", intermediate " + model.intermediateSize();
        if (!matrices.headsKnown()) {
            return widths + ", heads unknown";
        }
        return String.format(
                Locale.ROOT,
                "%s, %d heads and %d for k and v, of %d",
                widths,
                model.heads(),
                model.kvHeads(),
                model.headDim());
    }

    private static void appendPlan(StringBuilder text, KernelsReport report) {
        KernelPlan plan = report.plan();
        text.append(plan.kernels().getFirst().format().label()).append(", plan ").append(plan.hash(), 0, 16).append('\n');
        text.append(String.format(
                Locale.ROOT,
                "%13s  %-11s  %-11s %7s %6s %11s %6s%n",
                "M x K",
                "matrices",
                "BM/BK/bm",
                "three_k",
                "two_k",
                "bytes",
                "bits"));
        for (PlannedKernel kernel : plan.kernels()) {
            MatrixShape shape = kernel.shape();
            int three = kernel.format().threeColumns(shape, kernel.tile());
            text.append(String.format(
                    Locale.ROOT,
                    "%13s  %-11s  %-11s %7d %6d %11s %6.3f%n",
                    shape.rows() + " x " + shape.cols(),
                    report.model().isEmpty() ? "-" : String.join(", ", report.projections(kernel)),
                    kernel.tile(),
                    three,
                    shape.cols() - three,
                    Sizes.binary(bytes(kernel)),
                    bits(kernel)));
        }
    }

    private static long bytes(PlannedKernel kernel) {
        return kernel.format().packedBytes(kernel.shape(), kernel.tile());
    }

    private static double bits(PlannedKernel kernel) {
        return 8.0 * bytes(kernel) / kernel.shape().weights();
    }

    private static void appendTuning(StringBuilder text, Tuning tuning, boolean everyTile) {
        text.append(String.format(
                Locale.ROOT,
                "timed on %d thread%s, %s; G weights/s, prefill with %d tokens:%n",
                tuning.threads(),
                tuning.threads() == 1 ? "" : "s",
                tuning.path(),
                KernelTuner.PREFILL_TOKENS));
        text.append(String.format(
                Locale.ROOT, "%13s  %-11s %9s %9s%n", "M x K", "BM/BK/bm", "decode", "prefill"));
        for (TunedShape shape : tuning.shapes()) {
            for (TimedTile tile : shape.tiles()) {
                boolean winner = tile.equals(shape.winner());
                boolean planned = tile.equals(shape.planned());
                if (everyTile || winner || planned) {
                    text.append(String.format(
                            Locale.ROOT,
                            "%13s  %-11s %9.1f %9.1f%s%s%n",
                            shape.shape().rows() + " x " + shape.shape().cols(),
                            tile.tile(),
                            tile.decode() * 1e-9,
                            tile.prefill() * 1e-9,
                            planned ? "  planned" : "",
                            winner ? "  taken" + (shape.measured() ? "" : ", measured before") : ""));
                }
            }
        }
    }

    private static void appendCandidates(StringBuilder text, KernelsReport report) {
        for (PlannedKernel kernel : report.plan().kernels()) {
            String tiles = report.candidates().stream()
                    .filter(candidate -> candidate.shape().equals(kernel.shape()))
                    .map(candidate -> candidate.tile().toString())
                    .collect(Collectors.joining(" "));
            text.append(Wrap.indented("would time " + kernel.shape() + ": ", tiles, Terminal.WIDTH)).append('\n');
        }
    }

    /** Whether a library is needed beside libtern. */
    private static String libtern(KernelsReport report) {
        int all = report.plan().kernels().size();
        if (report.inLibtern() == all) {
            return "has " + (all == 1 ? "this kernel" : "all " + all + " kernels")
                    + ": Tern needs no other library for these tiles";
        }
        String lacks = "has " + report.inLibtern() + " of " + all + " kernels";
        return lacks + (report.library().isPresent()
                ? ": Tern takes the library above"
                : ": Tern builds a library when it loads such a file; --build does so now");
    }

    static ObjectNode json(KernelsReport report) {
        ObjectNode root = Json.object();
        LutFormat format = report.plan().kernels().getFirst().format();
        root.put("format", format.label()).put("abi", report.bitnetCpp() ? "bitnet.cpp" : "tern");
        if (report.model().isPresent()) {
            ModelMatrices matrices = report.model().get();
            ModelShape model = matrices.model();
            root.putObject("model")
                    .put("source", matrices.source())
                    .put("hidden_size", model.hiddenSize())
                    .put("intermediate_size", model.intermediateSize())
                    .put("num_attention_heads", matrices.headsKnown() ? model.heads() : null)
                    .put("num_key_value_heads", matrices.headsKnown() ? model.kvHeads() : null)
                    .put("head_dim", matrices.headsKnown() ? model.headDim() : null);
        } else {
            root.putNull("model");
        }
        root.put("plan", report.plan().hash());
        ArrayNode kernels = root.putArray("kernels");
        for (PlannedKernel kernel : report.plan().kernels()) {
            ObjectNode entry = kernels.addObject();
            int three = format.threeColumns(kernel.shape(), kernel.tile());
            entry.put("m", kernel.shape().rows())
                    .put("k", kernel.shape().cols())
                    .put("bm", kernel.tile().rows())
                    .put("bk", kernel.tile().cols())
                    .put("bmm", kernel.tile().rowBlock())
                    .put("three_k", three)
                    .put("two_k", kernel.shape().cols() - three)
                    .put("bytes", bytes(kernel))
                    .put("bits_per_weight", bits(kernel));
            report.projections(kernel).forEach(entry.putArray("matrices")::add);
        }
        root.put("dry_run", report.dryRun());
        ArrayNode files = root.putArray("files");
        for (Map.Entry<Path, Boolean> file : report.files().entrySet()) {
            files.addObject().put("path", file.getKey().toString()).put("written", file.getValue() && !report.dryRun());
        }
        root.put("kernels_in_libtern", report.inLibtern());
        root.put("library", report.library().map(library -> library.file().toString()).orElse(null));
        report.tuning().ifPresent(tuning -> put(root.putObject("tuning"), tuning));
        if (!report.candidates().isEmpty()) {
            ConversionText.putTiles(root.putObject("tuning"), report.candidates());
        }
        report.notes().forEach(root.putArray("notes")::add);
        return root;
    }

    private static void put(ObjectNode object, Tuning tuning) {
        object.put("threads", tuning.threads()).put("path", tuning.path()).put("prefill_tokens", KernelTuner.PREFILL_TOKENS);
        ArrayNode shapes = object.putArray("shapes");
        for (TunedShape shape : tuning.shapes()) {
            ObjectNode entry = shapes.addObject();
            entry.put("m", shape.shape().rows()).put("k", shape.shape().cols()).put("measured_now", shape.measured());
            entry.put("planned", shape.planned().tile().toString()).put("winner", shape.winner().tile().toString());
            ArrayNode tiles = entry.putArray("tiles");
            List<TimedTile> timed = shape.tiles();
            timed.forEach(tile -> tiles.addObject()
                    .put("tile", tile.tile().toString())
                    .put("decode_weights_per_second", tile.decode())
                    .put("prefill_weights_per_second", tile.prefill()));
        }
    }
}
