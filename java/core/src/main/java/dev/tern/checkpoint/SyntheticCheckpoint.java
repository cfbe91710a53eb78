package dev.tern.checkpoint;

import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.TensorShape;
import dev.tern.safetensors.SafetensorsType;
import dev.tern.safetensors.SafetensorsWriter;
import dev.tern.safetensors.SafetensorsWriter.Declaration;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A checkpoint of random weights with the dimensions of a real model: for measuring and testing what depends on size
 * and not on sense. The weights are streamed to the disk; memory stays at a few dozen megabytes. The same dimensions,
 * format and seed give the same bytes on every machine. Not thread-safe.
 */
public final class SyntheticCheckpoint {
    private static final int CHUNK_BYTES = 1 << 24;
    private static final int MAX_LAYERS = 10_000;

    /** What belongs to a checkpoint, of whatever family: of an earlier one nothing may be left beside the new one. */
    private static final List<String> FILES = List.of(
            "config.json", "generation_config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json",
            "tokenizer.model", "tokenizer_config.json", "added_tokens.json");

    /** Is told how far the writing is. */
    @FunctionalInterface
    public interface Progress {
        /** Called after every few megabytes, on the writing thread. */
        void advanced(long bytes, long total);
    }

    /** A tensor of the file and what fills it. */
    private record Part(Declaration declaration, TensorSpec spec) {}

    private final SyntheticLayout layout;
    private final @Nullable SyntheticFamily family;
    private ModelHyperparameters model;
    private WeightFormat format;
    private long seed;
    private boolean overwrite;
    private Progress progress = (bytes, total) -> {};

    private SyntheticCheckpoint(
            ModelHyperparameters model, SyntheticLayout layout, @Nullable SyntheticFamily family) {
        this.model = model;
        this.layout = layout;
        this.family = family;
        this.format = layout.format();
    }

    /** Names that {@link #like} knows. */
    public static List<String> presets() {
        return SyntheticFamily.ALL.stream().map(SyntheticFamily::label).toList();
    }

    /** Whether {@link #like} knows a name. */
    public static boolean isPreset(String name) {
        return SyntheticFamily.find(name).isPresent();
    }

    /**
     * The dimensions of a known model, laid out as its checkpoints are: names and types of tensors, the keys of
     * config.json, and the {@link #format} they come in.
     *
     * @param preset one of {@link #presets()} in any case, or {@code 2b-4t} for the first
     * @throws InputException when the name is none of these
     */
    public static SyntheticCheckpoint like(String preset) {
        SyntheticFamily family = SyntheticFamily.find(preset)
                .orElseThrow(() -> InputException.at(preset)
                        .problem("no model is known under this name")
                        .expected(String.join(", ", presets()))
                        .cure("Give a config.json for other dimensions.")
                        .exception());
        return new SyntheticCheckpoint(family.model(), family.layout(), family);
    }

    /**
     * The dimensions in a config.json; its token ids and quantization are replaced.
     *
     * @throws InputException when it is missing, damaged, or describes a model that Tern cannot run
     */
    public static SyntheticCheckpoint ofConfig(Path configJson) {
        CheckpointConfig config = CheckpointConfig.read(configJson);
        return of(config.hyperparameters("synthetic", config.tied().orElse(true)));
    }

    /** These dimensions, laid out as BitNet b1.58 2B-4T, or as a Llama that is configured like it. */
    public static SyntheticCheckpoint of(ModelHyperparameters model) {
        return new SyntheticCheckpoint(model, SyntheticLayout.of(model.architecture()), null);
    }

    /**
     * {@link WeightFormat#ONLINE} (bell curves), {@link WeightFormat#PACKED} (random ternary codes) or
     * {@link WeightFormat#TERNARY_FLOATS} (floats -s, 0, +s). The default is what the model of {@link #like} is
     * published as; elsewhere it is online.
     */
    public SyntheticCheckpoint format(WeightFormat value) {
        format = value;
        return this;
    }

    /** How the projections will be stored. */
    public WeightFormat format() {
        return format;
    }

    /**
     * Two layers and a few million weights, with what is peculiar to the model: what its dimensions are multiples of,
     * how many heads share keys, an odd vocabulary. To be called before {@link #layers} and {@link #vocabulary}.
     *
     * @throws IllegalStateException when the dimensions are not those of {@link #like}
     */
    public SyntheticCheckpoint small() {
        if (family == null) {
            throw new IllegalStateException("only known models have a small form");
        }
        model = family.small();
        return this;
    }

    /** So many layers instead of the model's; at least 1. */
    public SyntheticCheckpoint layers(int count) {
        model = resized(count, model.vocabSize());
        return this;
    }

    /** A vocabulary of this size instead of the model's. */
    public SyntheticCheckpoint vocabulary(int size) {
        model = resized(model.layers(), size);
        return this;
    }

    private ModelHyperparameters resized(int layers, int vocab) {
        return new ModelHyperparameters(
                model.architecture(),
                model.name(),
                vocab,
                model.contextLength(),
                model.hiddenSize(),
                model.intermediateSize(),
                layers,
                model.heads(),
                model.kvHeads(),
                model.headDim(),
                model.ropeDims(),
                model.ropeTheta(),
                model.normEps(),
                model.activation(),
                model.subNorms(),
                model.tiedHead(),
                model.lowRank(),
                model.diffusionBlock());
    }

    /** What the random numbers depend on; 0 by default. */
    public SyntheticCheckpoint seed(long value) {
        seed = value;
        return this;
    }

    /** Whether files of an earlier checkpoint in the folder are replaced. */
    public SyntheticCheckpoint overwrite(boolean value) {
        overwrite = value;
        return this;
    }

    /** Who is told how many bytes are written; by default nobody. */
    public SyntheticCheckpoint progress(Progress listener) {
        progress = Objects.requireNonNull(listener);
        return this;
    }

    /** Dimensions and constants of the model that is made. */
    public ModelHyperparameters hyperparameters() {
        return model;
    }

    /** Bytes of the weights. */
    public long byteSize() {
        return byteSize(parts());
    }

    /**
     * Writes the checkpoint, config.json last: a new folder that has one is complete.
     *
     * When that fails or the listener throws, what was written is removed again, and the folder if it was made here.
     *
     * @param folder is created if need be
     * @throws InputException when the folder holds a checkpoint already and {@link #overwrite} is off, the vocabulary
     *     is too small for the bytes and special tokens, or the disk is too full
     */
    public void to(Path folder) {
        requireVocabulary(folder);
        List<Part> parts = parts();
        SyntheticTokenizer tokenizer = layout.tokenizer(model.vocabSize());
        boolean made = prepare(folder);
        List<Path> written = new ArrayList<>();
        try {
            writeAll(folder, parts, tokenizer, written);
        } catch (Throwable failed) {
            remove(written, made ? folder : null);
            throw failed;
        }
    }

    private void writeAll(Path folder, List<Part> parts, SyntheticTokenizer tokenizer, List<Path> written) {
        writeWeights(folder.resolve("model.safetensors"), parts, written);
        tokenizer
                .files(model.contextLength())
                .forEach((name, content) -> write(folder.resolve(name), content, written));
        ObjectNode generation = JsonMapper.shared().createObjectNode().put("bos_token_id", tokenizer.bosId());
        generation.putArray("eos_token_id").add(tokenizer.eosId()).add(tokenizer.endOfTurnId());
        generation.put("do_sample", false).put("max_length", model.contextLength());
        write(folder.resolve("generation_config.json"), generation, written);
        removeOthers(folder, written);
        write(folder.resolve("config.json"), layout.config(model, format, tokenizer), written);
    }

    /** Files of the checkpoint that this one takes the place of, which another kind of tokenizer had. */
    private static void removeOthers(Path folder, List<Path> written) {
        for (String name : FILES) {
            Path file = folder.resolve(name);
            try {
                if (!written.contains(file)) {
                    Files.deleteIfExists(file);
                }
            } catch (IOException e) {
                throw InputException.at(file).problem("cannot be removed", e).exception(e);
            }
        }
    }

    private void requireVocabulary(Path folder) {
        if (model.vocabSize() < SyntheticTokenizer.LEAST_VOCAB) {
            throw InputException.at(folder)
                    .problem("the vocabulary is too small for the 256 bytes and the special tokens")
                    .expected("at least " + SyntheticTokenizer.LEAST_VOCAB)
                    .found(model.vocabSize())
                    .exception();
        }
        if (model.layers() > MAX_LAYERS) {
            throw InputException.at(folder)
                    .problem("too many layers")
                    .expected("at most " + MAX_LAYERS)
                    .found(model.layers())
                    .exception();
        }
    }

    /** Whether the folder had to be made. */
    private boolean prepare(Path folder) {
        boolean made = !Files.exists(folder);
        if (!made && !Files.isDirectory(folder)) {
            throw InputException.at(folder).expected("a folder").found("a file").cure("Name another.").exception();
        }
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw InputException.at(folder).problem("cannot be created", e).exception(e);
        }
        for (String name : FILES) {
            if (!overwrite && Files.exists(folder.resolve(name))) {
                throw InputException.at(folder.resolve(name))
                        .problem("exists already")
                        .cure("Name another folder, or add --overwrite to replace the checkpoint.")
                        .exception();
            }
        }
        return made;
    }

    /** Leaves no part of a checkpoint behind; a file that replaced an older one goes, too, as the rest is missing. */
    private static void remove(List<Path> written, @Nullable Path made) {
        try {
            for (Path file : written) {
                Files.deleteIfExists(file);
            }
            if (made != null) {
                Files.deleteIfExists(made);
            }
        } catch (IOException e) {
            // What made the writing fail may well keep files from being removed, and is reported.
        }
    }

    /** In the file, floats stand before bytes, so that all are aligned. */
    private List<Part> parts() {
        List<Part> floats = new ArrayList<>();
        List<Part> bytes = new ArrayList<>();
        for (TensorSpec spec : TensorSpec.of(model)) {
            long rows = spec.rows();
            long cols = spec.cols();
            String name = layout.source(spec);
            if (spec.ternary() && format == WeightFormat.PACKED) {
                bytes.add(part(spec, name, SafetensorsType.U8, List.of(Math.ceilDiv(rows, 4L), cols)));
                floats.add(part(spec, name + "_scale", SafetensorsType.BF16, List.of(1L)));
            } else {
                List<Long> shape = spec.vector() ? List.of(cols) : List.of(rows, cols);
                floats.add(part(spec, name, layout.floats(), shape));
            }
        }
        floats.addAll(bytes);
        return floats;
    }

    private static Part part(TensorSpec spec, String name, SafetensorsType type, List<Long> shape) {
        return new Part(new Declaration(name, type, shape), spec);
    }

    private long byteSize(List<Part> parts) {
        try {
            return parts.stream().mapToLong(part -> part.declaration().byteSize()).reduce(0, Math::addExact);
        } catch (ArithmeticException e) {
            throw InputException.at(model.name()).problem("the weights are larger than any file").exception(e);
        }
    }

    private void writeWeights(Path target, List<Part> parts, List<Path> written) {
        long total = byteSize(parts);
        List<Declaration> declarations = parts.stream().map(Part::declaration).toList();
        try (Arena arena = Arena.ofShared();
                SafetensorsWriter writer =
                        SafetensorsWriter.create(target, overwrite, Map.of("format", "pt"), declarations)) {
            MemorySegment chunk = arena.allocate(CHUNK_BYTES, 64);
            long bytes = 0;
            for (Part part : parts) {
                long size = part.declaration().byteSize();
                for (long done = 0; done < size; done += CHUNK_BYTES) {
                    MemorySegment piece = chunk.asSlice(0, Math.min(CHUNK_BYTES, size - done));
                    fill(part, done, piece);
                    writer.write(part.declaration().name(), piece);
                    bytes += piece.byteSize();
                    progress.advanced(bytes, total);
                }
            }
            writer.commit();
            written.add(target);
        }
    }

    /**
     * Norms lie near 1; an embedding gives logits that differ by a few units; a projection with s near 1.2/sqrt(K),
     * 69 % of its T not zero, about preserves the size of its input. Online and packed are alike in (T, s).
     */
    private void fill(Part part, long firstByte, MemorySegment piece) {
        TensorSpec spec = part.spec();
        SafetensorsType type = part.declaration().type();
        long first = firstByte * 8 / type.bits();
        SyntheticWeights weights = new SyntheticWeights(seed, spec.source());
        float unit = weights.spread() / (float) Math.sqrt(spec.cols());
        float scale = 1.5f * unit * SyntheticWeights.MEAN_MAGNITUDE;
        if (type == SafetensorsType.U8) {
            weights.packed(piece, firstByte, spec.rows(), spec.cols());
        } else if (spec.ternary() && format == WeightFormat.PACKED) {
            float stored = layout.quantization().direction() == ScaleDirection.DIRECT ? scale : 1 / scale;
            piece.set(ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN), 0, SyntheticWeights.bf16(stored));
        } else if (spec.ternary() && format == WeightFormat.TERNARY_FLOATS) {
            weights.ternary(piece, type, first, scale);
        } else if (spec.vector()) {
            weights.gaussian(piece, type, first, 1f, 0.05f);
        } else if (spec.shape().kind() == TensorShape.Kind.LOW_RANK) {
            // The outputs of V, and a fifth of those of U, have about x's size.
            boolean down = spec.name().endsWith(".lrc_v");
            weights.gaussian(piece, type, first, 0f, down ? 1 / (float) Math.sqrt(spec.rows()) : 0.2f * unit);
        } else {
            weights.gaussian(piece, type, first, 0f, (spec.ternary() ? 1.5f : 2.5f) * unit);
        }
    }

    private void write(Path target, ObjectNode json, List<Path> written) {
        write(target, json.toPrettyString().getBytes(StandardCharsets.UTF_8), written);
    }

    private void write(Path target, byte[] content, List<Path> written) {
        try (AtomicFile file = AtomicFile.create(target, overwrite)) {
            file.write(MemorySegment.ofArray(content));
            file.commit();
            written.add(target);
        }
    }
}
