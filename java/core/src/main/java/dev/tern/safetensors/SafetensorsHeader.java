package dev.tern.safetensors;

import dev.tern.io.InputException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;

/**
 * The JSON header, read token by token so that memory stays in proportion to the tensors it declares, whatever a
 * hostile file nests into it. The rules are those of the reference implementation (huggingface/safetensors, {@code
 * tensor.rs}): every byte of the data belongs to exactly one tensor.
 */
final class SafetensorsHeader {
    /** More dimensions than any framework has. */
    private static final int MAX_DIMENSIONS = 64;

    /** Without a table of names seen before: they are all different, and a hostile file could make them collide. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
            .build();

    private final Path path;
    private final long dataStart;
    private final long dataSize;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, SafetensorsTensor> declared = new LinkedHashMap<>();

    private SafetensorsHeader(Path path, long dataStart, long dataSize) {
        this.path = path;
        this.dataStart = dataStart;
        this.dataSize = dataSize;
    }

    /**
     * Reads and checks a header.
     *
     * @param path the file, for errors
     * @param json the header's bytes
     * @param dataStart where the data begins in the file
     * @param dataSize bytes from there to the end of the file
     */
    static SafetensorsHeader parse(Path path, byte[] json, long dataStart, long dataSize) {
        SafetensorsHeader header = new SafetensorsHeader(path, dataStart, dataSize);
        String text = header.utf8(json);
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), text)) {
            header.object(parser);
        } catch (JacksonException e) {
            InputException.Builder error =
                    InputException.at(path).problem("the header is not valid JSON: " + e.getOriginalMessage());
            if (e.getLocation() != null) { // the parser's own limits have none
                error.found("the error at character " + e.getLocation().getCharOffset() + " of the header");
            }
            throw error.cure("The file is damaged: download it again.").exception(e);
        }
        return header;
    }

    /** The string map under {@code __metadata__}, empty when absent. */
    Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /** The tensors in the order of their data, checked to cover the data without overlap or hole. */
    SequencedMap<String, SafetensorsTensor> tensors() {
        List<SafetensorsTensor> ordered = new ArrayList<>(declared.values());
        ordered.sort(Comparator.comparingLong(SafetensorsTensor::offset)
                .thenComparingLong(SafetensorsTensor::byteSize));
        SequencedMap<String, SafetensorsTensor> tensors = new LinkedHashMap<>();
        long end = dataStart;
        String previous = "the header";
        for (SafetensorsTensor tensor : ordered) {
            if (tensor.offset() != end) {
                throw at(tensor.name())
                        .problem(tensor.offset() < end
                                ? "its data overlaps that of " + previous
                                : "there is a hole between " + previous + " and its data")
                        .expected("data from offset " + (end - dataStart))
                        .found("data from offset " + (tensor.offset() - dataStart))
                        .cure("Write the file again with the tool that made it.")
                        .exception();
            }
            end += tensor.byteSize();
            previous = "'" + tensor.name() + "'";
            tensors.put(tensor.name(), tensor);
        }
        if (end - dataStart != dataSize) {
            throw InputException.at(path)
                    .problem("bytes after the last tensor")
                    .expected((end - dataStart) + " bytes of data")
                    .found(dataSize)
                    .cure("Download the file again.")
                    .exception();
        }
        return Collections.unmodifiableSequencedMap(tensors);
    }

    private String utf8(byte[] json) {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
            if (!text.startsWith("{")) {
                throw InputException.at(path)
                        .problem("the header is no JSON object")
                        .expected("'{'")
                        .found(text.isEmpty() ? "nothing" : "'" + text.substring(0, Math.min(20, text.length())) + "'")
                        .cure("The file is no safetensors file or is damaged: download it again.")
                        .exception();
            }
            return text;
        } catch (CharacterCodingException e) {
            throw InputException.at(path)
                    .problem("the header is not valid UTF-8")
                    .cure("The file is no safetensors file or is damaged: download it again.")
                    .exception(e);
        }
    }

    private void object(JsonParser parser) {
        parser.nextToken();
        for (String name = parser.nextName(); name != null; name = parser.nextName()) {
            if (name.equals("__metadata__")) {
                metadata(parser);
            } else {
                SafetensorsTensor tensor = tensor(name, parser);
                if (declared.put(name, tensor) != null) {
                    throw at(name).problem("is declared twice").exception();
                }
            }
        }
        if (parser.nextToken() != null) {
            throw InputException.at(path).problem("text after the header's JSON object").exception();
        }
    }

    private void metadata(JsonParser parser) {
        if (!metadata.isEmpty()) {
            throw InputException.at(path).key("__metadata__").problem("is given twice").exception();
        }
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw InputException.at(path)
                    .key("__metadata__")
                    .expected("an object of strings")
                    .found(parser.currentToken())
                    .exception();
        }
        for (String key = parser.nextName(); key != null; key = parser.nextName()) {
            if (parser.nextToken() != JsonToken.VALUE_STRING) {
                throw InputException.at(path)
                        .key("__metadata__." + key)
                        .expected("a string")
                        .found(parser.currentToken())
                        .exception();
            }
            if (metadata.put(key, parser.getString()) != null) {
                throw InputException.at(path).key("__metadata__." + key).problem("is given twice").exception();
            }
        }
    }

    private SafetensorsTensor tensor(String name, JsonParser parser) {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw at(name)
                    .expected("an object with dtype, shape, data_offsets")
                    .found(parser.currentToken())
                    .exception();
        }
        SafetensorsType type = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        for (String key = parser.nextName(); key != null; key = parser.nextName()) {
            boolean again = false;
            switch (key) {
                case "dtype" -> {
                    again = type != null;
                    type = type(name, parser);
                }
                case "shape" -> {
                    again = shape != null;
                    shape = integers(name, key, parser);
                }
                case "data_offsets" -> {
                    again = offsets != null;
                    offsets = integers(name, key, parser);
                }
                default -> throw at(name)
                        .problem("has an unknown property")
                        .expected("dtype, shape, data_offsets")
                        .found("'" + key + "'")
                        .exception();
            }
            if (again) {
                throw at(name).problem(key + " is given twice").exception();
            }
        }
        return placed(name, present(name, "dtype", type), present(name, "shape", shape),
                present(name, "data_offsets", offsets));
    }

    private <T> T present(String name, String key, @Nullable T value) {
        if (value == null) {
            throw at(name).problem("has no " + key).exception();
        }
        return value;
    }

    private SafetensorsType type(String name, JsonParser parser) {
        if (parser.nextToken() != JsonToken.VALUE_STRING) {
            throw at(name).problem("its dtype is no string").found(parser.currentToken()).exception();
        }
        String text = parser.getString();
        return SafetensorsType.named(text).orElseThrow(() -> at(name)
                .problem("unknown dtype")
                .expected("one of " + SafetensorsType.names())
                .found("'" + text + "'")
                .exception());
    }

    private List<Long> integers(String name, String key, JsonParser parser) {
        if (parser.nextToken() != JsonToken.START_ARRAY) {
            throw at(name).problem("its " + key + " is no array").found(parser.currentToken()).exception();
        }
        List<Long> values = new ArrayList<>(2);
        while (parser.nextToken() == JsonToken.VALUE_NUMBER_INT) {
            if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
                throw at(name).problem("its " + key + " has a number beyond 2^63").exception();
            }
            long value = parser.getLongValue();
            if (value < 0) {
                throw at(name).problem("its " + key + " has a negative number").found(value).exception();
            }
            if (values.size() == MAX_DIMENSIONS) {
                throw at(name).problem("its " + key + " has more than " + MAX_DIMENSIONS + " numbers").exception();
            }
            values.add(value);
        }
        if (parser.currentToken() != JsonToken.END_ARRAY) {
            throw at(name).problem("its " + key + " holds no integer").found(parser.currentToken()).exception();
        }
        return values;
    }

    private SafetensorsTensor placed(String name, SafetensorsType type, List<Long> shape, List<Long> offsets) {
        if (offsets.size() != 2) {
            throw at(name).expected("data_offsets [begin, end]").found(offsets).exception();
        }
        long begin = offsets.get(0);
        long end = offsets.get(1);
        if (begin > end) {
            throw at(name).problem("its data ends before it begins").found("data_offsets " + offsets).exception();
        }
        if (end > dataSize) {
            throw at(name)
                    .problem("the file is truncated")
                    .expected("data up to offset " + end + " behind the header")
                    .found(dataSize + " bytes there")
                    .cure("Download the file again.")
                    .exception();
        }
        if (end - begin != byteSize(name, type, shape)) {
            throw at(name)
                    .problem("its shape and its data differ")
                    .expected(byteSize(name, type, shape) + " bytes for " + type + " " + shape)
                    .found((end - begin) + " bytes")
                    .exception();
        }
        return new SafetensorsTensor(name, type, shape, dataStart + begin, end - begin);
    }

    private long byteSize(String name, SafetensorsType type, List<Long> shape) {
        try {
            long bits = type.bits();
            for (long dimension : shape) {
                bits = Math.multiplyExact(bits, dimension);
            }
            if (bits % 8 != 0) {
                throw at(name).problem(type + " " + shape + " does not fill whole bytes").exception();
            }
            return bits / 8;
        } catch (ArithmeticException e) {
            throw at(name).problem("its size overflows").found(type + " " + shape).exception(e);
        }
    }

    private InputException.Builder at(String tensor) {
        return InputException.at(path).tensor(tensor);
    }
}
