package dev.tern.convert;

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
 * Turns a checkpoint, or a GGUF file that is ternary already, into a GGUF file: {@code
 * Converter.from(folder).outtype(Outtype.TQ1_0).to(file)}. Every ternary matrix is brought into its canonical form (T,
 * s) once and encoded exactly. Matrices pass through in bands of rows, on several threads: memory is taken for a few
 * bands a thread, whatever the model's size. The source is never changed; the file appears whole or not at all, and the
 * same source gives the same bytes, whatever the number of threads. Not thread-safe.
 */
public final class Converter {
    private static final Set<GgmlType> EMBEDDING_TYPES =
            Set.of(GgmlType.F16, GgmlType.BF16, GgmlType.F32, GgmlType.Q8_0, GgmlType.Q6_K);

    /** More read and write faster than disks do. */
    private static final int MOST_THREADS = 8;

    private final Path source;
    private @Nullable Path sourceKernelConfig;
    private @Nullable Outtype outtype;
    private @Nullable KernelConfig kernelConfig;
    private @Nullable GgmlType embeddingType;
    private String architecture = Recipe.AUTO;
    private int threads = defaultThreads();
    private boolean tensorHashes = true;
    private boolean overwrite;
    private boolean validate;
    private ConversionProgress progress = (phase, tensor, done, total) -> {};

    private Converter(Path source) {
        this.source = source;
    }

    /**
     * A conversion of a checkpoint's folder, of its one safetensors file, or of a GGUF file whose projections are
     * ternary, in whatever type; nothing is read yet. From GGUF, T and the stored s are kept, metadata and tokenizer
     * are carried over in their order, known or not, and so are all other tensors.
     */
    public static Converter from(Path source) {
        return new Converter(source);
    }

    /**
     * The type of the ternary tensors; unless set, tensor by tensor the smallest that its dimensions allow: TQ1_0, else
     * I2_S, else Q4_0, else F16. TL1 and TL2, which are bound to kernels of the same tiles, only when asked for.
     */
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

    /**
     * The kernel_config.ini that a GGUF source of TL1 or TL2 which stores no tiles, as bitnet.cpp's converter writes
     * it, was packed with.
     */
    public Converter sourceKernelConfig(Path ini) {
        sourceKernelConfig = ini;
        return this;
    }

    /**
     * The type of the embedding and of an untied head: F16, BF16, F32, Q8_0 or Q6_K; unless set, F16, or that of a GGUF
     * source. A checkpoint's low-rank corrections follow it when it is BF16 or F32, and are F16 otherwise; a GGUF
     * source's stay as they are.
     */
    public Converter embeddingType(GgmlType type) {
        if (!EMBEDDING_TYPES.contains(type)) {
            throw InputException.at("embedding type " + type).expected("F16, BF16, F32, Q8_0 or Q6_K").exception();
        }
        embeddingType = type;
        return this;
    }

    /**
     * {@code general.architecture}: {@code auto} (default), or {@code bitnet}, {@code bitnet-b1.58}, {@code bitnet-25},
     * {@code llama}.
     */
    public Converter architecture(String name) {
        architecture = name;
        return this;
    }

    /**
     * On how many threads tensors are converted; unless set, as many as there are processors, at most 8.
     *
     * @throws IllegalArgumentException when it is not positive
     */
    public Converter threads(int count) {
        if (count < 1) {
            throw new IllegalArgumentException(count + " threads");
        }
        threads = count;
        return this;
    }

    /** Whether the report has the SHA-256 of every T (default), which takes a fifth of the time. */
    public Converter tensorHashes(boolean value) {
        tensorHashes = value;
        return this;
    }

    static int defaultThreads() {
        return Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
    }

    /** Whether an existing file may be replaced. */
    public Converter overwrite(boolean value) {
        overwrite = value;
        return this;
    }

    /** Whether the written file is decoded and compared with the source before it gets its name. */
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
        try (ConversionSource open = open()) {
            return recipe(open).plan();
        }
    }

    private ConversionSource open() {
        return ConversionSource.open(source, sourceKernelConfig);
    }

    private Recipe recipe(ConversionSource open) {
        return Recipe.of(open, outtype, kernelConfig, embeddingType, architecture);
    }

    /**
     * Converts.
     *
     * @throws InputException when the source is at fault, the outtype cannot hold it, the file exists, the disk is
     *     full, or validation fails; no file is left then
     */
    public ConversionReport to(Path gguf) {
        long start = System.nanoTime();
        try (AtomicFile file = AtomicFile.create(gguf, overwrite);
                ConversionSource open = open()) {
            Recipe recipe = recipe(open);
            GgufWriter writer = new GgufWriter(recipe.layout(), file);
            List<String> notes = new ArrayList<>(recipe.notes());
            file.others().forEach(other -> notes.add("an unfinished " + other + " lies there: another run is at work,"
                    + " or was killed; if none is, delete it"));
            List<ConversionReport.Tensor> tensors =
                    new TensorStream(recipe, writer, tensorHashes, progress, notes).write(threads);
            String sha256 = writer.finish();
            double seconds = (System.nanoTime() - start) / 1e9;
            ValidationReport validation = null;
            if (validate) {
                validation = Validator.validateWritten(file.temporary(), gguf, open, threads, progress);
                validation.requireOk();
            }
            file.commit();
            return new ConversionReport(
                    gguf,
                    recipe.plan(),
                    sha256,
                    tensors,
                    notes,
                    seconds,
                    open.bytes(),
                    open.bytes() / seconds,
                    validation);
        }
    }
}
