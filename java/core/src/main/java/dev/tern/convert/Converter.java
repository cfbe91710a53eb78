package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.codegen.KernelConfig;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufWriter;
import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import dev.tern.ternary.Outtype;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns a checkpoint into a GGUF file: {@code Converter.from(folder).outtype(Outtype.I2_S).to(file)}. Every ternary matrix
 * is brought into its canonical form (T, s) once and encoded exactly; one tensor is held at a time while the next is read.
 * The checkpoint is never changed; the file appears whole or not at all, and the same checkpoint gives the same bytes. Not
 * thread-safe.
 */
public final class Converter {
    private static final Set<GgmlType> EMBEDDING_TYPES =
            Set.of(GgmlType.F16, GgmlType.BF16, GgmlType.F32, GgmlType.Q8_0, GgmlType.Q6_K);

    private final Path checkpoint;
    private @Nullable Outtype outtype;
    private @Nullable KernelConfig kernelConfig;
    private GgmlType embeddingType = GgmlType.F16;
    private String architecture = Recipe.AUTO;
    private boolean overwrite;
    private boolean validate;
    private ConversionProgress progress = (phase, tensor, done, total) -> {};

    private Converter(Path checkpoint) {
        this.checkpoint = checkpoint;
    }

    /** A conversion of a checkpoint's folder, or of its one safetensors file; nothing is read yet. */
    public static Converter from(Path checkpoint) {
        return new Converter(checkpoint);
    }

    /** The type of the ternary tensors; unless set, I2_S, or F16 for a model whose columns I2_S cannot group. */
    public Converter outtype(Outtype type) {
        outtype = type;
        return this;
    }

    /**
     * The tiles for TL1 or TL2, those of a build of bitnet.cpp that is to read the file; unless set, Tern's choice.
     * Must have one for every shape of the model's ternary matrices, and is an error with another outtype.
     */
    public Converter kernelConfig(KernelConfig config) {
        kernelConfig = config;
        return this;
    }

    /** The type of the embedding and of an untied head: F16 (default), BF16, F32, Q8_0 or Q6_K. */
    public Converter embeddingType(GgmlType type) {
        if (!EMBEDDING_TYPES.contains(type)) {
            throw InputException.at("embedding type " + type).expected("F16, BF16, F32, Q8_0 or Q6_K").exception();
        }
        embeddingType = type;
        return this;
    }

    /** {@code general.architecture}: {@code auto} (default), or {@code bitnet}, {@code bitnet-b1.58}, {@code bitnet-25}, {@code llama}. */
    public Converter architecture(String name) {
        architecture = name;
        return this;
    }

    /** Whether an existing file may be replaced. */
    public Converter overwrite(boolean value) {
        overwrite = value;
        return this;
    }

    /** Whether the written file is decoded and compared with the checkpoint before it gets its name. */
    public Converter validate(boolean value) {
        validate = value;
        return this;
    }

    /** Who is told how far a conversion has come; by default nobody. Called on the converting thread. */
    public Converter progress(ConversionProgress listener) {
        progress = listener;
        return this;
    }

    /**
     * What {@link #to} would write, without writing or reading weights.
     *
     * @throws InputException when the conversion is impossible
     */
    public ConversionPlan plan() {
        try (Checkpoint open = Checkpoint.open(checkpoint)) {
            return recipe(open).plan();
        }
    }

    private Recipe recipe(Checkpoint open) {
        return Recipe.of(open, outtype, kernelConfig, embeddingType, architecture);
    }

    /**
     * Converts.
     *
     * @throws InputException when the checkpoint is at fault, the outtype cannot hold it, the file exists, the disk is
     *     full, or validation fails; no file is left then
     */
    public ConversionReport to(Path gguf) {
        long start = System.nanoTime();
        try (AtomicFile file = AtomicFile.create(gguf, overwrite);
                Checkpoint open = Checkpoint.open(checkpoint)) {
            Recipe recipe = recipe(open);
            GgufWriter writer = new GgufWriter(recipe.layout(), file);
            List<String> notes = new ArrayList<>(recipe.notes());
            List<ConversionReport.Tensor> tensors = new TensorStream(recipe, writer, progress, notes).write();
            String sha256 = writer.finish();
            double seconds = (System.nanoTime() - start) / 1e9;
            ValidationReport validation = null;
            if (validate) {
                validation = Validator.validateWritten(file.temporary(), gguf, open, progress);
                validation.requireOk();
            }
            file.commit();
            long checkpointBytes = open.weightBytes();
            return new ConversionReport(
                    gguf,
                    recipe.plan(),
                    sha256,
                    tensors,
                    notes,
                    seconds,
                    checkpointBytes,
                    checkpointBytes / seconds,
                    validation);
        }
    }
}
