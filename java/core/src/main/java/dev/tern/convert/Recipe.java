package dev.tern.convert;

import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.MatrixShape;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufLayout;
import dev.tern.io.InputException;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.BlockQuantizer;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryCodec;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A conversion with every choice made and checked: what each tensor becomes, and the file's layout.
 *
 * @param description what the metadata says
 * @param targets every tensor, in the file's order
 */
record Recipe(
        ConversionSource source,
        FileDescription description,
        GgmlType embeddingType,
        List<Target> targets,
        GgufLayout layout,
        List<String> notes) {
    static final String AUTO = "auto";

    private static final List<String> BITNET = List.of("bitnet-b1.58", "bitnet-25", "bitnet");

    /**
     * What a tensor becomes.
     *
     * @param type in the file
     * @param codec of a ternary tensor, else null
     */
    record Target(SourceTensor source, GgmlType type, @Nullable TernaryCodec codec) {

        /** Whether the bytes are those of the source. */
        boolean copied() {
            return codec == null && type == source.stored();
        }
    }

    /**
     * Makes the choices.
     *
     * @param wanted type of the ternary tensors, or null for the smallest that holds each of them
     * @param config tiles for TL1 or TL2, or null for Tern's choice
     * @param embeddingType type of the embedding and an untied head, or null for F16, or that of a GGUF source
     */
    static Recipe of(
            ConversionSource source,
            @Nullable Outtype wanted,
            @Nullable KernelConfig config,
            @Nullable GgmlType embeddingType,
            String architecture) {
        ModelHyperparameters model = source.hyperparameters().withArchitecture(architecture(source, architecture));
        OuttypeChoice choice = OuttypeChoice.of(source, wanted);
        LutTiles tiles = new TileChoice(source).tiles(choice.most(), config);
        FileDescription description = new FileDescription(model, choice.most(), tiles);
        List<String> notes = new ArrayList<>(source.notes());
        notes.addAll(choice.notes());
        List<Target> targets = new ArrayList<>();
        GgufLayout.Builder layout = GgufLayout.builder();
        source.describe(description, layout);
        for (SourceTensor tensor : source.tensors()) {
            Target target = target(source, tensor, choice, tiles, embeddingType, notes);
            targets.add(target);
            layout.tensor(tensor.name(), target.type, tensor.dims());
        }
        notes.addAll(OtherReaders.notes(model, choice.used()));
        return new Recipe(
                source, description, embeddingType(targets), List.copyOf(targets), layout.build(), List.copyOf(notes));
    }

    private static Target target(
            ConversionSource source,
            SourceTensor tensor,
            OuttypeChoice choice,
            LutTiles tiles,
            @Nullable GgmlType embeddingType,
            List<String> notes) {
        return switch (tensor.kind()) {
            case TERNARY -> {
                Outtype outtype = choice.of(tensor);
                MatrixShape shape = new MatrixShape((int) tensor.rows(), (int) tensor.cols());
                yield new Target(tensor, outtype.type(), outtype.codec(shape, tiles));
            }
            case EMBEDDING -> {
                GgmlType type = embedding(source, tensor, embeddingType);
                if (tensor.stored() != null && tensor.stored() != type && type != GgmlType.F32) {
                    notes.add(tensor.name() + ": its values are rounded from " + tensor.stored() + " to " + type);
                }
                yield new Target(tensor, type, null);
            }
            case VECTOR -> new Target(tensor, GgmlType.F32, null);
            case MATRIX -> {
                boolean plain = embeddingType != null && Findings.isPlainFloat(embeddingType);
                yield new Target(tensor, plain ? embeddingType : GgmlType.F16, null);
            }
            case COPY -> new Target(tensor, stored(tensor), null);
        };
    }

    private static GgmlType stored(SourceTensor tensor) {
        if (tensor.stored() == null) {
            throw new IllegalStateException(tensor.name() + " has no GGUF type that could be kept");
        }
        return tensor.stored();
    }

    private static GgmlType embedding(ConversionSource source, SourceTensor tensor, @Nullable GgmlType wanted) {
        if (wanted == null) {
            return tensor.stored() == null ? GgmlType.F16 : tensor.stored();
        }
        if (wanted != tensor.stored()) {
            requireReadable(source, tensor);
            requireWholeBlocks(source, tensor, wanted);
        }
        return wanted;
    }

    private static void requireReadable(ConversionSource source, SourceTensor tensor) {
        GgmlType stored = tensor.stored();
        if (stored != null && !Findings.isPlainFloat(stored) && !BlockQuantizer.supports(stored)) {
            throw InputException.at(source.path())
                    .tensor(tensor.name())
                    .problem("its values are stored as " + stored + ", which is only copied")
                    .expected("F32, F16, BF16, Q8_0 or Q6_K")
                    .cure("Leave --embedding-type away, or convert the original checkpoint.")
                    .exception();
        }
    }

    /** Of an embedding or head in a type of blocks. */
    private static void requireWholeBlocks(ConversionSource source, SourceTensor tensor, GgmlType type) {
        if (!BlockQuantizer.supports(type)) {
            return;
        }
        BlockQuantizer.of(type).obstacle((int) tensor.rows(), (int) tensor.cols()).ifPresent(reason -> {
            throw InputException.at(source.path())
                    .tensor(tensor.source())
                    .problem("[" + tensor.rows() + ", " + tensor.cols() + "] cannot be held by " + type + ": " + reason)
                    .cure("Choose another --embedding-type: f16, or q8_0, whose blocks have 32 columns.")
                    .exception();
        });
    }

    private static GgmlType embeddingType(List<Target> targets) {
        return targets.stream()
                .filter(target -> target.source.name().equals("token_embd.weight"))
                .map(Target::type)
                .findFirst()
                .orElse(GgmlType.F16);
    }

    /** The architecture asked for, when the model has that graph; by default the one that says what the model is. */
    private static String architecture(ConversionSource source, String wanted) {
        String own = source.hyperparameters().architecture();
        if (wanted.equals(AUTO) || wanted.equals(own)) {
            return own;
        }
        if (BITNET.contains(own) && BITNET.contains(wanted)) {
            return wanted;
        }
        throw InputException.at(source.path())
                .problem("the model cannot be written as architecture '" + wanted + "'")
                .expected(BITNET.contains(own)
                        ? "one of " + String.join(", ", BITNET) + ", whose graph has sub-norms"
                        : own)
                .found(wanted)
                .exception();
    }

    ConversionPlan plan() {
        return new ConversionPlan(
                source.path(),
                source.format(),
                description.model().architecture(),
                description.outtype(),
                description.tiles(),
                embeddingType,
                layout.fileSize(),
                layout.metadata().size(),
                layout.tensors(),
                notes);
    }
}
