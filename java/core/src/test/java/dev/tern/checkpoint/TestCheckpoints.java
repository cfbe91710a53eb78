package dev.tern.checkpoint;

import dev.tern.io.JsonFile;
import dev.tern.safetensors.SafetensorsFile;
import dev.tern.safetensors.SafetensorsTensor;
import dev.tern.safetensors.SafetensorsType;
import dev.tern.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The trained model in testdata, and what the tests make of it: sharded, re-packed, damaged copies in temporary
 * folders.
 */
public final class TestCheckpoints {
    static final Path ROOT = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet");
    static final Path ONLINE = ROOT.resolve("online-bf16");
    static final Path PACKED = ROOT.resolve("packed-u8");

    /** A tensor's type, shape and little-endian bytes. */
    record Content(SafetensorsType type, List<Long> shape, byte[] bytes) {

        static Content bf16(List<Long> shape, float... values) {
            ByteBuffer buffer = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
            for (float value : values) {
                buffer.putShort(bf16Bits(value));
            }
            return new Content(SafetensorsType.BF16, shape, buffer.array());
        }

        static Content f16(List<Long> shape, float... values) {
            ByteBuffer buffer = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
            for (float value : values) {
                buffer.putShort(Float.floatToFloat16(value));
            }
            return new Content(SafetensorsType.F16, shape, buffer.array());
        }

        static Content f32(List<Long> shape, float... values) {
            ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
            for (float value : values) {
                buffer.putFloat(value);
            }
            return new Content(SafetensorsType.F32, shape, buffer.array());
        }

        static Content u8(List<Long> shape, byte... values) {
            return new Content(SafetensorsType.U8, shape, values);
        }

        float[] bf16Values() {
            float[] values = new float[bytes.length / 2];
            ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < values.length; i++) {
                values[i] = Float.intBitsToFloat(buffer.getShort(2 * i) << 16);
            }
            return values;
        }
    }

    private TestCheckpoints() {}

    static short bf16Bits(float value) {
        int bits = Float.floatToRawIntBits(value);
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }

    /** The tensors of a safetensors file, in the order of their data. */
    static SequencedMap<String, Content> tensors(Path file) {
        try (SafetensorsFile open = SafetensorsFile.open(file)) {
            SequencedMap<String, Content> tensors = new LinkedHashMap<>();
            for (SafetensorsTensor tensor : open.tensors().values()) {
                byte[] bytes = open.data(tensor).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
                tensors.put(tensor.name(), new Content(tensor.type(), tensor.shape(), bytes));
            }
            return tensors;
        }
    }

    static void write(Path file, Map<String, Content> tensors) {
        List<SafetensorsWriter.Declaration> declarations = tensors.entrySet().stream()
                .map(e -> new SafetensorsWriter.Declaration(e.getKey(), e.getValue().type(), e.getValue().shape()))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, true, Map.of("format", "pt"), declarations)) {
            tensors.forEach((name, content) -> {
                if (content.bytes().length > 0) {
                    writer.write(name, MemorySegment.ofArray(content.bytes()));
                }
            });
            writer.commit();
        }
    }

    /**
     * The packed model as Hugging Face's {@code bitlinear} class stores it, with tokenizer: weight_scale is
     * bf16(1 / mean|W|), the mean as our online reader finds it.
     */
    public static void writeInverse(Path folder) {
        SequencedMap<String, Content> tensors = tensors(PACKED.resolve("model.safetensors"));
        try (Checkpoint online = Checkpoint.open(ONLINE)) {
            for (CheckpointTensor tensor : online.tensors()) {
                if (tensor.ternary()) {
                    float mean = online.readTernary(tensor).scale();
                    tensors.put(tensor.source() + "_scale", Content.bf16(List.of(1L), 1f / mean));
                }
            }
        }
        write(folder.resolve("model.safetensors"), tensors);
        config(PACKED, folder, config -> ((ObjectNode) config.get("quantization_config")).put("linear_class", "bitlinear"));
        for (String name : new String[] {"tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
            try {
                Files.copy(PACKED.resolve(name), folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Splits the tensors over two shards and writes the index. */
    static void writeSharded(Path folder, Map<String, Content> tensors, Predicate<String> first) {
        Map<String, Content> one = new LinkedHashMap<>();
        Map<String, Content> two = new LinkedHashMap<>();
        ObjectNode index = JsonMapper.shared().createObjectNode();
        long total = tensors.values().stream().mapToLong(content -> content.bytes().length).sum();
        index.putObject("metadata").put("total_size", total);
        ObjectNode map = index.putObject("weight_map");
        tensors.forEach((name, content) -> {
            (first.test(name) ? one : two).put(name, content);
            map.put(name, first.test(name) ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors");
        });
        write(folder.resolve("model-00001-of-00002.safetensors"), one);
        write(folder.resolve("model-00002-of-00002.safetensors"), two);
        writeText(folder.resolve("model.safetensors.index.json"), index.toString());
    }

    /** Copies config.json, changed. */
    static void config(Path from, Path folder, Consumer<ObjectNode> change) {
        ObjectNode config = JsonFile.read(from.resolve("config.json"));
        change.accept(config);
        writeText(folder.resolve("config.json"), config.toString());
    }

    static void writeText(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
