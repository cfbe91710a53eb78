package dev.tern.checkpoint;

import dev.tern.io.InputException;
import dev.tern.model.ModelHyperparameters;
import dev.tern.safetensors.SafetensorsFile;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.ternary.TernaryRows;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * A ternary model in the Hugging Face layout: a folder with config.json and model.safetensors, or with shards and their
 * index, or one safetensors file with config.json beside it. Everything is read by position, piece by piece, and
 * nothing in the folder is ever changed.
 *
 * <p>Opening checks names, shapes and types of all tensors against config.json, and every {@code weight_scale}; the
 * weights themselves are looked at as they are read. Thread-safe: matrices may be read from several threads at once.
 * After {@link #close} reading throws {@link IllegalStateException}.
 */
public final class Checkpoint implements AutoCloseable {
    private final CheckpointFiles files;
    private final CheckpointConfig config;
    private final ModelHyperparameters hyperparameters;
    private final TensorMatch match;
    private final WeightFormat format;
    private final List<Integer> eosTokenIds;
    private final OptionalInt bosTokenId;
    private final OptionalInt padTokenId;
    private final List<Note> notes = new ArrayList<>();

    /**
     * What a person should know although it is no error.
     *
     * @param kind what it is about
     * @param text in words, without a full stop
     */
    public record Note(Kind kind, String text) {
        /** What a note is about. */
        public enum Kind {
            /** Something was ignored, or had to be assumed and is sure to be right. */
            ASSUMPTION,
            /** config.json does not say how packed matrices are scaled; the default may be wrong. */
            QUANTIZATION_CONFIG_MISSING
        }
    }

    private Checkpoint(CheckpointFiles files) {
        this.files = files;
        this.config = CheckpointConfig.read(files.folder().resolve("config.json"));
        boolean tied = config.tied().orElse(!files.tensors().containsKey("lm_head.weight"));
        ModelHyperparameters stated = config.hyperparameters(nameOf(files.folder()), tied);
        this.hyperparameters = stated.with(TensorSpec.lowRankRanks(files.tensors()), stated.diffusionBlock());
        this.match = TensorMatch.of(files, config, hyperparameters);
        this.format = detectFormat();
        int vocab = hyperparameters.vocabSize();
        this.eosTokenIds = config.eosTokenIds(vocab);
        this.bosTokenId = config.bosTokenId(vocab);
        this.padTokenId = config.padTokenId(vocab);
        files.notes().forEach(this::note);
        config.notes().forEach(this::note);
        match.notes().forEach(this::note);
        noteMissingQuantization();
        noteDiffusion();
    }

    /**
     * Opens a checkpoint.
     *
     * @param folderOrSafetensorsFile the model's folder, or its one safetensors file
     * @throws InputException when files are missing or damaged, the model is not one that Tern can run, or tensors are
     *     missing or do not fit config.json
     */
    public static Checkpoint open(Path folderOrSafetensorsFile) {
        CheckpointFiles files = CheckpointFiles.open(folderOrSafetensorsFile);
        try {
            return new Checkpoint(files);
        } catch (RuntimeException | Error e) {
            files.close();
            throw e;
        }
    }

    private static String nameOf(Path folder) {
        Path name = folder.toAbsolutePath().normalize().getFileName();
        return name == null ? "model" : name.toString();
    }

    /** The first projection that is not all zero decides for the whole; a plain Llama is found out here. */
    private WeightFormat detectFormat() {
        if (match.packed()) {
            return WeightFormat.PACKED;
        }
        for (CheckpointTensor tensor : match.tensors()) {
            if (tensor.ternary()) {
                float magnitude = scan(tensor).ternaryMagnitude();
                if (Float.isNaN(magnitude)) {
                    scan(tensor).requireOneScale(tensor.cols());
                    requireTrainedTernary(tensor);
                    return WeightFormat.ONLINE;
                }
                if (magnitude != 0) {
                    return WeightFormat.TERNARY_FLOATS;
                }
            }
        }
        return WeightFormat.ONLINE;
    }

    private void requireTrainedTernary(CheckpointTensor tensor) {
        if (!config.trainedTernary()) {
            throw match.stored(tensor)
                    .error()
                    .problem("the weights are continuous, and config.json does not say that they become ternary")
                    .expected("quantization_config with quant_method 'bitnet', or weights with at most three values")
                    .cure("An ordinary Llama cannot be made ternary without training; give one trained so. If this one"
                            + " was (master weights, or a merge that lost the key), put"
                            + " \"quantization_config\": {\"quant_method\": \"bitnet\", \"quantization_mode\":"
                            + " \"online\"} into its config.json.")
                    .exception();
        }
    }

    private void note(String text) {
        notes.add(new Note(Note.Kind.ASSUMPTION, text));
    }

    private void noteDiffusion() {
        if (hyperparameters.diffusionBlock() > 0) {
            note("the model was fine-tuned to fill in blocks of " + hyperparameters.diffusionBlock()
                    + " tokens by diffusion (bd_size); Tern decodes it as the causal model it was made from");
        }
    }

    private void noteMissingQuantization() {
        if (config.quantization().declared()) {
            return;
        }
        if (format == WeightFormat.PACKED) {
            notes.add(new Note(
                    Note.Kind.QUANTIZATION_CONFIG_MISSING,
                    "config.json has no quantization_config: weight_scale is taken as transformers' default class"
                            + " 'bitlinear' has it, s = 1 / weight_scale"));
        } else if (format == WeightFormat.ONLINE) {
            note("config.json has no quantization_config: the weights are made ternary by absmean, as the"
                    + " architecture asks for");
        }
    }

    /** The folder of config.json and the weights. */
    public Path folder() {
        return files.folder();
    }

    /** The safetensors files that are read, in the order of first use. */
    public List<Path> weightFiles() {
        return files.files().stream().map(SafetensorsFile::path).toList();
    }

    /** Bytes of {@link #weightFiles} together. */
    public long weightBytes() {
        return files.files().stream().mapToLong(SafetensorsFile::size).sum();
    }

    /** Dimensions and constants of the model, from config.json and the tensors. */
    public ModelHyperparameters hyperparameters() {
        return hyperparameters;
    }

    /**
     * How the projections are stored, as the first of them that is not all zero shows. Each projection is examined
     * again when it is read: one that holds -s, 0, +s only is taken as it is, even among continuous ones.
     */
    public WeightFormat format() {
        return format;
    }

    /** What a {@code weight_scale} means; of no meaning unless the format is {@link WeightFormat#PACKED}. */
    public ScaleDirection scaleDirection() {
        return config.quantization().scaleDirection();
    }

    /** The model's tensors in GGUF order: the embedding, the last norm, an untied head, then block by block. */
    public List<CheckpointTensor> tensors() {
        return match.tensors();
    }

    /** The first end token that config.json (else generation_config.json) names. */
    public OptionalInt eosTokenId() {
        return eosTokenIds.stream().mapToInt(Integer::intValue).findFirst();
    }

    /** Every end token: those of config.json, then those that generation_config.json adds. */
    public List<Integer> eosTokenIds() {
        return eosTokenIds;
    }

    /** The beginning-of-sequence token that the model's configuration names. */
    public OptionalInt bosTokenId() {
        return bosTokenId;
    }

    /** The padding token that the model's configuration names. */
    public OptionalInt padTokenId() {
        return padTokenId;
    }

    /** What a person should know although it is no error: what was ignored or assumed. */
    public List<String> notes() {
        return notes.stream().map(Note::text).toList();
    }

    /** The same, with what each is about. */
    public List<Note> typedNotes() {
        return List.copyOf(notes);
    }

    /**
     * Opens a projection in its canonical form (T, s): finds s, for which a matrix of floats is read once; its rows are
     * read on demand. Rows are in the checkpoint's order: the permutation that GGUF's {@code llama} graph wants for q
     * and k is the converter's. What is returned is to be used by one thread, until the checkpoint is closed.
     *
     * @throws InputException on NaN and infinity, and on continuous weights in a model that was not trained ternary;
     *     the message names the tensor and the place. Reading throws it on the packed code 3.
     */
    public TernaryRows ternaryRows(CheckpointTensor tensor) {
        if (!tensor.ternary()) {
            throw new IllegalArgumentException(tensor.name() + " is not ternary");
        }
        StoredTensor stored = match.stored(tensor);
        int rows = tensor.rows();
        int cols = tensor.cols();
        if (format == WeightFormat.PACKED) {
            return new PackedRows(stored, rows, cols, match.scale(tensor));
        }
        FloatScan scan = scan(tensor);
        float magnitude = scan.ternaryMagnitude();
        if (!Float.isNaN(magnitude)) {
            return FloatRows.signs(stored, rows, cols, magnitude);
        }
        scan.requireOneScale(cols);
        requireTrainedTernary(tensor);
        return FloatRows.absmean(stored, rows, cols, scan.absoluteMean());
    }

    /**
     * Reads a whole projection, as {@link #ternaryRows} does its rows.
     *
     * @throws InputException as there
     */
    public TernaryMatrix readTernary(CheckpointTensor tensor) {
        return ternaryRows(tensor).matrix();
    }

    private FloatScan scan(CheckpointTensor tensor) {
        return new FloatScan(match.stored(tensor), tensor.elements());
    }

    /**
     * Reads elements {@code [first, first + count)}, row-major, of a tensor stored as floats, widened exactly to f32.
     *
     * @param f32out room for {@code count} floats in native byte order, of any alignment
     * @throws InputException when one of them is NaN or infinite
     */
    public void readFloats(CheckpointTensor tensor, long first, int count, MemorySegment f32out) {
        floatReader(tensor).read(first, count, f32out);
    }

    /**
     * A reader of such a tensor's elements for one thread, which keeps its buffers: for passing through large tensors.
     *
     * @throws IllegalArgumentException when the tensor is not stored as floats
     */
    public FloatReader floatReader(CheckpointTensor tensor) {
        StoredTensor stored = match.stored(tensor);
        if (!stored.tensor().type().isWeightFloat()) {
            throw new IllegalArgumentException(tensor.name() + " is stored as " + stored.tensor().type());
        }
        return new FloatReader(stored);
    }

    @Override
    public void close() {
        files.close();
    }
}
