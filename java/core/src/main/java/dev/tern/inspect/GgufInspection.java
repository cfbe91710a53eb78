package dev.tern.inspect;

import dev.tern.convert.OtherReaders;
import dev.tern.gguf.FiniteCheck;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufValue;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.inspect.Inspection.TensorFacts;
import dev.tern.io.InputException;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.TensorShape;
import dev.tern.probe.GgufBlocks;
import dev.tern.probe.Rewrite;
import dev.tern.ternary.KernelConfigFile;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryCounts;
import dev.tern.tokenizer.Vocabulary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A GGUF file, every projection of it decoded, and its model run. */
final class GgufInspection {
    /** Narrower matrices do not occur, and would be padded to many times their size. */
    private static final int MIN_COLS = 32;

    private final GgufFile file;
    private final Inspector.Options options;
    private final String architecture;
    private final InspectionBuilder result = new InspectionBuilder();
    private final UndecodedWeights undecoded;
    private final Set<GgmlType> projectionTypes = new TreeSet<>();
    private @Nullable LutTiles tiles;

    GgufInspection(GgufFile file, Inspector.Options options) {
        this.file = file;
        this.options = options;
        GgufValue name = file.metadata().get("general.architecture");
        this.architecture = name != null && name.value() instanceof String text ? text : "";
        this.undecoded = new UndecodedWeights(file, architecture, result);
    }

    Inspection run() {
        Optional<ModelHyperparameters> model = new GraphCheck(file, architecture, result).run();
        Optional<Vocabulary> vocabulary = new TokenizerCheck(result).gguf(file);
        inspectTiles();
        for (GgufTensor tensor : file.tensors()) {
            if (TensorShape.isProjection(tensor.name())) {
                projectionTypes.add(tensor.type());
                projection(tensor);
            } else {
                result.tensor(facts(tensor, null, null));
                floats(tensor);
            }
        }
        undecoded.report();
        TernarySuspicion.of(result.samples()).forEach(result::explain);
        inspectFileType();
        model.ifPresent(this::readers);
        if (options.probe()) {
            probe(model, vocabulary);
        }
        return result.build(
                Inspection.Kind.GGUF, file.path(), file.size(), "GGUF version " + file.version(), architecture);
    }

    /** Tiles that are damaged or missing are told once; the matrices that need them stay undecoded. */
    private void inspectTiles() {
        try {
            LutTiles known = KernelConfigFile.tiles(file, options.kernelConfig());
            for (GgufTensor tensor : file.tensors()) {
                TernaryCodec.of(tensor, known);
            }
            tiles = known;
            result.tiles(known.kernels());
        } catch (InputException e) {
            if (options.kernelConfig() != null) {
                throw e;
            }
            result.find(FindingKind.TILES_MISSING, Severity.ERROR, Sentences.of(e), "");
        }
    }

    private Optional<TernaryCodec> codec(GgufTensor tensor) {
        boolean tiled = tensor.type() == GgmlType.TL1 || tensor.type() == GgmlType.TL2;
        if (tiles == null && tiled || tensor.cols() < MIN_COLS || tensor.elements() > Integer.MAX_VALUE) {
            return Optional.empty();
        }
        return TernaryCodec.of(tensor, tiles == null ? LutTiles.none() : tiles);
    }

    private void projection(GgufTensor tensor) {
        TernaryCounts counts = null;
        Float scale = null;
        Optional<TernaryCodec> codec = codec(tensor);
        if (codec.isPresent()) {
            int rows = (int) tensor.rows();
            int cols = (int) tensor.cols();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment codes = arena.allocate(TernaryCodec.packedSize(rows, cols), 64);
                scale = codec.get().pack(file.data(tensor), rows, cols, codes, "Tensor '" + tensor.name() + "'");
                counts = TernaryCounts.ofCodes(codes, rows, cols);
            } catch (InputException e) {
                scale = null;
                undecoded.refused(tensor, e);
            }
        } else {
            undecoded.foreign(tensor);
        }
        result.tensor(facts(tensor, counts, scale));
        file.release(tensor);
    }

    private void floats(GgufTensor tensor) {
        if (!FiniteCheck.supports(tensor.type())) {
            return;
        }
        FiniteCheck.first(file, tensor).ifPresent(place -> result.find(
                FindingKind.NOT_FINITE,
                Severity.ERROR,
                "Tensor '" + tensor.name() + "' holds a value that is not finite: " + place + ".",
                "The file is damaged, or training diverged: convert the original checkpoint with `tern convert`."));
    }

    private static TensorFacts facts(
            GgufTensor tensor, @Nullable TernaryCounts counts, @Nullable Float scale) {
        List<Long> dims = Arrays.stream(tensor.dims()).boxed().toList();
        return new TensorFacts(tensor.name(), null, tensor.type().name(), dims, tensor.byteSize(), counts, scale);
    }

    private void inspectFileType() {
        GgufValue value = file.metadata().get("general.file_type");
        if (value == null || !(value.value() instanceof Number number) || projectionTypes.isEmpty()) {
            return;
        }
        Arrays.stream(Outtype.values())
                .filter(outtype -> number.longValue() == outtype.fileType())
                .filter(outtype -> !projectionTypes.contains(outtype.type()))
                .findFirst()
                .ifPresent(declared -> result.find(
                        FindingKind.FILE_TYPE_MISMATCH,
                        Severity.WARNING,
                        "general.file_type is " + number + " (" + declared.label() + "), but the projections are "
                                + projectionTypes + ".",
                        "The number only informs; programs go by the tensors' types."));
    }

    /** Who else can read it, and which outtypes it could be written as. */
    private void readers(ModelHyperparameters model) {
        Set<Outtype> outtypes = Arrays.stream(Outtype.values())
                .filter(outtype -> projectionTypes.contains(outtype.type()))
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Outtype.class)));
        if (!outtypes.isEmpty() && outtypes.size() == projectionTypes.size()) {
            OtherReaders.notes(model, outtypes)
                    .forEach(note -> result.find(FindingKind.READERS, Severity.NOTE, note, ""));
        }
        result.outtypes(FittingOuttypes.of(model));
    }

    private void probe(Optional<ModelHyperparameters> model, Optional<Vocabulary> vocabulary) {
        if (model.isEmpty() || vocabulary.isEmpty() || result.broken()) {
            return; // what is missing or broken is told already
        }
        LutTiles known = tiles == null ? LutTiles.none() : tiles;
        boolean i2s = projectionTypes.contains(GgmlType.I2_S);
        new Prober(result, options).run(
                model.get(),
                vocabulary.get(),
                new GgufBlocks(file, model.get(), known, Rewrite.NONE),
                Readings.ofGguf(
                        model.get(),
                        i2s,
                        result.samples(),
                        (graph, rewrite) -> new GgufBlocks(file, graph, known, rewrite)));
    }
}
