package dev.tern.gguf;

import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.Set;

/** Everything before the tensor data, read and checked. */
record GgufHeader(
        int version, int alignment, long dataStart, SequencedMap<String, GgufValue> metadata, List<GgufTensor> tensors) {
    static final int MAGIC = 0x46554747; // "GGUF" read as a little-endian integer
    static final int DEFAULT_ALIGNMENT = 32;

    static final String ALIGNMENT_KEY = "general.alignment";

    /** bitnet.cpp's {@code general.file_type} of TL2; NVFP4 in llama.cpp. */
    private static final int TL2_FILE_TYPE = 39;

    /** What the keys of stored tiles of TL2 start with. */
    private static final String TL2_TILE_KEY = "ternary.tl2.";

    /** Types of bitnet.cpp, whose numbers mean or meant something else in llama.cpp. */
    private static final Set<GgmlType> BITNET_TYPES = Set.of(GgmlType.I2_S, GgmlType.TL1, GgmlType.TL2);

    private static final int MAX_DIMS = 4;

    /** Bytes of the shortest key-value pair and of the shortest tensor description. */
    private static final int MIN_PAIR = 13;

    private static final int MIN_TENSOR = 24;

    private static final long MAX_TENSORS = 1 << 17;
    private static final long MAX_PAIRS = 1 << 16;

    static GgufHeader read(Path path, MemorySegment file) {
        requireMagic(path, file);
        GgufCursor in = new GgufCursor(path, file);
        in.i32("the magic number");
        int version = version(path, in.i32("the version"));
        long tensorCount = in.count(MIN_TENSOR, MAX_TENSORS, "the number of tensors");
        long pairCount = in.count(MIN_PAIR, MAX_PAIRS, "the number of key-value pairs");
        SequencedMap<String, GgufValue> metadata = metadata(path, in, pairCount);
        int alignment = alignment(path, metadata);
        List<Declaration> declarations = declarations(path, in, tensorCount, alignment);
        long dataStart = (in.position() + alignment - 1) / alignment * alignment;
        boolean tl2 = isTl2(metadata, declarations, file.byteSize() - dataStart);
        List<GgufTensor> tensors = new ArrayList<>();
        for (Declaration declared : declarations) {
            tensors.add(tensor(path, declared, tl2));
        }
        requireDisjointAndPresent(path, tensors, dataStart, file.byteSize());
        return new GgufHeader(version, alignment, dataStart, metadata, List.copyOf(tensors));
    }

    /** The same without judging the tensors: neither types nor where they lie. */
    static GgufDeclarations declared(Path path, MemorySegment file) {
        requireMagic(path, file);
        GgufCursor in = new GgufCursor(path, file);
        in.i32("the magic number");
        version(path, in.i32("the version"));
        long tensorCount = in.count(MIN_TENSOR, MAX_TENSORS, "the number of tensors");
        long pairCount = in.count(MIN_PAIR, MAX_PAIRS, "the number of key-value pairs");
        SequencedMap<String, GgufValue> metadata = metadata(path, in, pairCount);
        int alignment = alignment(path, metadata);
        List<GgufDeclarations.Tensor> tensors = declarations(path, in, tensorCount, alignment).stream()
                .map(d -> new GgufDeclarations.Tensor(d.name, d.dims, d.typeId, d.offset))
                .toList();
        long dataStart = (in.position() + alignment - 1) / alignment * alignment;
        return new GgufDeclarations(metadata, dataStart, file.byteSize(), tensors);
    }

    private static void requireMagic(Path path, MemorySegment file) {
        if (file.byteSize() == 0) {
            throw InputException.at(path).expected("a GGUF file").found("an empty file").exception();
        }
        byte[] start = file.asSlice(0, Math.min(16, file.byteSize())).toArray(ValueLayout.JAVA_BYTE);
        String text = new String(start, StandardCharsets.ISO_8859_1);
        if (text.startsWith("GGUF")) {
            return;
        }
        InputException.Builder error = InputException.at(path).expected("a GGUF file (it starts with 'GGUF')");
        if (text.startsWith("lmgg") || text.startsWith("fmgg") || text.startsWith("tjgg")) {
            throw error.found("a GGML file from before GGUF").cure("Convert the original checkpoint.").exception();
        }
        if (text.startsWith("version https://")) {
            throw error.found("a Git LFS pointer, not the file itself").cure("Run `git lfs pull`.").exception();
        }
        if (text.startsWith("PK")) {
            throw error.found("a zip archive, perhaps a PyTorch checkpoint").exception();
        }
        if (text.length() > 8 && text.charAt(8) == '{') {
            throw error.found("a safetensors file").cure("Convert it with `tern convert`.").exception();
        }
        if (text.stripLeading().startsWith("<")) {
            throw error.found("a web page").cure("The download failed; get the file again.").exception();
        }
        throw error.found("other bytes").exception();
    }

    private static int version(Path path, int version) {
        InputException.Builder error =
                InputException.at(path).expected("GGUF version 2 or 3, little-endian");
        if (version != 0 && (version & 0xFFFF) == 0) {
            throw error.found("a big-endian file (version " + Integer.reverseBytes(version) + ")")
                    .cure("Convert the original checkpoint for little-endian machines.")
                    .exception();
        }
        if (version == 1) {
            throw error.found("version 1, whose lengths have 32 bits and which nobody writes since August 2023")
                    .cure("Convert the original checkpoint again.")
                    .exception();
        }
        if (version != 2 && version != 3) {
            throw error.found("version " + Integer.toUnsignedString(version)).exception();
        }
        return version;
    }

    private static SequencedMap<String, GgufValue> metadata(Path path, GgufCursor in, long count) {
        SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
        for (long i = 0; i < count; i++) {
            String key = in.string("the name of key-value pair " + i);
            String what = "key '" + key + "'";
            GgufValue value = in.value(in.valueType(what), what);
            if (metadata.putIfAbsent(key, value) != null) {
                throw InputException.at(path).key(key).problem("stands twice in the file").exception();
            }
        }
        return metadata;
    }

    private static int alignment(Path path, SequencedMap<String, GgufValue> metadata) {
        GgufValue value = metadata.get(ALIGNMENT_KEY);
        if (value == null) {
            return DEFAULT_ALIGNMENT;
        }
        if (value.type() != GgufValueType.UINT32
                || !(value.value() instanceof Integer alignment)
                || Integer.bitCount(alignment) != 1
                || alignment < 0
                || alignment > 1 << 24) {
            throw InputException.at(path)
                    .key(ALIGNMENT_KEY)
                    .expected("a UINT32 that is a power of two, at most 2^24")
                    .found(value.type() + " " + value.value())
                    .exception();
        }
        return alignment;
    }

    /** A tensor as the file declares it: of a type that is still a number. */
    private record Declaration(String name, long[] dims, int typeId, long offset) {

        /** Bytes as a tensor of this type; empty when its rows are no whole blocks or its size is beyond a long. */
        OptionalLong bytes(GgmlType type) {
            try {
                return OptionalLong.of(type.bytes(dims[0], rows()));
            } catch (IllegalArgumentException | ArithmeticException e) {
                return OptionalLong.empty();
            }
        }

        long rows() {
            long rows = 1;
            for (int d = 1; d < dims.length; d++) {
                rows = Math.multiplyExact(rows, dims[d]);
            }
            return rows;
        }
    }

    private static List<Declaration> declarations(Path path, GgufCursor in, long count, int alignment) {
        List<Declaration> declarations = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (long i = 0; i < count; i++) {
            String name = in.string("the name of tensor " + i);
            if (!names.add(name)) {
                throw InputException.at(path).tensor(name).problem("stands twice in the file").exception();
            }
            String what = "tensor '" + name + "'";
            long[] dims = dims(path, in, name, what);
            int typeId = in.i32("the type of " + what);
            long offset = in.i64("the offset of " + what);
            if (offset < 0 || offset % alignment != 0) {
                throw InputException.at(path)
                        .tensor(name)
                        .expected("an offset that is a multiple of " + alignment)
                        .found(Long.toUnsignedString(offset))
                        .exception();
            }
            declarations.add(new Declaration(name, dims, typeId, offset));
        }
        return declarations;
    }

    /**
     * Whether the number 39 means TL2 in this file: bitnet.cpp took it before llama.cpp took it for MXFP4. It does in an
     * architecture that is always ternary; and where {@code general.file_type} is 39, TL2's in bitnet.cpp, and either Tern
     * stored tiles or every such tensor has room for TL2 but not for MXFP4, which takes 2.5 times as much.
     */
    private static boolean isTl2(
            SequencedMap<String, GgufValue> metadata, List<Declaration> declarations, long dataBytes) {
        List<Declaration> doubtful =
                declarations.stream().filter(declared -> declared.typeId == GgmlType.TL2.id()).toList();
        if (doubtful.isEmpty()) {
            return false;
        }
        GgufValue architecture = metadata.get("general.architecture");
        if (architecture != null && architecture.value() instanceof String name && name.startsWith("bitnet")) {
            return true;
        }
        GgufValue fileType = metadata.get("general.file_type");
        if (fileType == null || !(fileType.value() instanceof Number number) || number.longValue() != TL2_FILE_TYPE) {
            return false;
        }
        if (metadata.keySet().stream().anyMatch(key -> key.startsWith(TL2_TILE_KEY))) {
            return true;
        }
        long[] offsets = declarations.stream().mapToLong(Declaration::offset).sorted().distinct().toArray();
        return doubtful.stream().allMatch(declared -> {
            int next = Arrays.binarySearch(offsets, declared.offset) + 1;
            long room = (next < offsets.length ? offsets[next] : dataBytes) - declared.offset;
            return room >= declared.bytes(GgmlType.TL2).orElse(Long.MAX_VALUE)
                    && room < declared.bytes(GgmlType.MXFP4).orElse(Long.MAX_VALUE);
        });
    }

    private static GgufTensor tensor(Path path, Declaration declared, boolean tl2) {
        GgmlType type = type(path, declared, tl2);
        return new GgufTensor(
                declared.name, type, declared.dims, declared.offset, byteSize(path, declared, type));
    }

    private static long[] dims(Path path, GgufCursor in, String name, String what) {
        int count = in.i32("the number of dimensions of " + what);
        if (count < 1 || count > MAX_DIMS) {
            throw InputException.at(path)
                    .tensor(name)
                    .expected("1 to " + MAX_DIMS + " dimensions")
                    .found(Integer.toUnsignedString(count))
                    .exception();
        }
        long[] dims = new long[count];
        for (int d = 0; d < count; d++) {
            dims[d] = in.i64("the dimensions of " + what);
            if (dims[d] <= 0) {
                throw InputException.at(path)
                        .tensor(name)
                        .expected("positive dimensions")
                        .found(Long.toUnsignedString(dims[d]))
                        .exception();
            }
        }
        return dims;
    }

    private static GgmlType type(Path path, Declaration declared, boolean tl2) {
        if (tl2 && declared.typeId == GgmlType.TL2.id()) {
            return GgmlType.TL2;
        }
        return GgmlType.ofId(declared.typeId).orElseThrow(() -> InputException.at(path)
                .tensor(declared.name)
                .problem("the type " + Integer.toUnsignedString(declared.typeId) + " cannot be read")
                .found(GgmlType.describe(declared.typeId))
                .cure("Convert the original checkpoint with `tern convert`.")
                .exception());
    }

    private static long byteSize(Path path, Declaration declared, GgmlType type) {
        long[] dims = declared.dims;
        if (dims[0] % type.blockSize() != 0) {
            String also = BITNET_TYPES.contains(type)
                    ? " (type " + type.id() + " is " + GgmlType.describe(type.id()) + ")"
                    : "";
            throw InputException.at(path)
                    .tensor(declared.name)
                    .problem(type + " stores rows in blocks" + also)
                    .expected("rows of a multiple of " + type.blockSize() + " elements")
                    .found(dims[0])
                    .exception();
        }
        try {
            long rows = declared.rows();
            Math.multiplyExact(rows, dims[0]);
            return type.bytes(dims[0], rows);
        } catch (ArithmeticException e) {
            throw InputException.at(path)
                    .tensor(declared.name)
                    .problem("its dimensions multiply to more than 2^63")
                    .found(new GgufTensor(declared.name, type, dims, 0, 0).shape())
                    .exception(e);
        }
    }

    /** Tensors may lie in any order, but apart from each other and within the file. */
    private static void requireDisjointAndPresent(Path path, List<GgufTensor> tensors, long dataStart, long fileSize) {
        List<GgufTensor> byOffset = new ArrayList<>(tensors);
        byOffset.sort(Comparator.comparingLong(GgufTensor::offset));
        for (int i = 0; i + 1 < byOffset.size(); i++) {
            GgufTensor tensor = byOffset.get(i);
            GgufTensor next = byOffset.get(i + 1);
            long room = next.offset() - tensor.offset();
            if (room < tensor.byteSize()) {
                throw overlap(path, tensor, next, room);
            }
            requireOfBitnet(path, tensor, room);
        }
        for (GgufTensor tensor : byOffset) {
            long start = dataStart + tensor.offset();
            if (start < 0 || start > fileSize || tensor.byteSize() > fileSize - start) {
                throw truncated(path, byOffset, dataStart, fileSize, tensor);
            }
        }
    }

    /**
     * Number 36 was llama.cpp's IQ4_NL_4_4, 38 its IQ4_NL_8_8, 18 bytes for 32 weights, and 39 is its MXFP4, 17 bytes: the
     * room tells whether it is one of them.
     */
    private static void requireOfBitnet(Path path, GgufTensor tensor, long room) {
        if (!BITNET_TYPES.contains(tensor.type())) {
            return;
        }
        boolean mxfp4 = tensor.type() == GgmlType.TL2;
        if (room / 2 >= tensor.byteSize() && room >= tensor.elements() / 32 * (mxfp4 ? 17 : 18)) {
            throw InputException.at(path)
                    .tensor(tensor.name())
                    .problem("the type " + tensor.type().id() + " cannot be read")
                    .found(switch (tensor.type()) {
                        case TL2 -> "MXFP4 of llama.cpp: it takes more than twice the room of TL2";
                        case TL1 -> "IQ4_NL_8_8, which llama.cpp removed in 2024: it takes twice the room of TL1";
                        default -> "IQ4_NL_4_4, which llama.cpp removed in 2024: it takes twice the room of I2_S";
                    })
                    .cure("Convert the original checkpoint.")
                    .exception();
        }
    }

    private static InputException overlap(Path path, GgufTensor tensor, GgufTensor next, long room) {
        InputException.Builder error = InputException.at(path)
                .tensor(tensor.name())
                .problem("overlaps '" + next.name() + "'")
                .expected(tensor.byteSize() + " bytes (" + tensor.type() + " " + tensor.shape() + ")")
                .found("room for " + room);
        if (BITNET_TYPES.contains(tensor.type()) && room == tensor.byteSize() - GgmlType.SCALE_TAIL) {
            error.problem("overlaps '" + next.name() + "': the offsets leave out the 32 bytes of the scale behind each "
                    + tensor.type() + " tensor, an error of some converters");
        }
        return error.cure("Convert the original checkpoint with `tern convert`.").exception();
    }

    private static InputException truncated(
            Path path, List<GgufTensor> byOffset, long dataStart, long fileSize, GgufTensor first) {
        GgufTensor last = byOffset.getLast();
        InputException.Builder error = InputException.at(path).tensor(first.name());
        try {
            long end = Math.addExact(Math.addExact(dataStart, last.offset()), last.byteSize());
            error.problem("its data lies beyond the end of the file, which is truncated: " + (end - fileSize)
                            + " bytes are missing")
                    .expected("a file of " + end + " bytes")
                    .found(fileSize);
        } catch (ArithmeticException e) {
            error.problem("its data would end beyond 2^63");
        }
        return error.cure("Get the file again.").exception();
    }
}
