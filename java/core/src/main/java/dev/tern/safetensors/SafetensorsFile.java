package dev.tern.safetensors;

import dev.tern.io.InputException;
import dev.tern.io.MappedFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * A safetensors file of any size, mapped read-only: 8 bytes little-endian header length, a JSON header, the data.
 * Everything the header claims is checked when the file is opened, so that every tensor's data lies inside the file.
 * Thread-safe. After {@link #close} every access through a data segment throws {@link IllegalStateException}.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
public final class SafetensorsFile implements AutoCloseable {
    /** The reference implementation's limit for the header. */
    static final long MAX_HEADER = 100_000_000;

    static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MappedFile file;
    private final Map<String, String> metadata;
    private final SequencedMap<String, SafetensorsTensor> tensors;

    private SafetensorsFile(MappedFile file) {
        this.file = file;
        int length = headerLength(file);
        byte[] json = file.segment().asSlice(Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE);
        long dataStart = Long.BYTES + (long) length;
        SafetensorsHeader header = SafetensorsHeader.parse(file.path(), json, dataStart, file.size() - dataStart);
        metadata = header.metadata();
        tensors = header.tensors();
    }

    /**
     * Maps a file and checks its header.
     *
     * @throws InputException when the file cannot be read, or its header is damaged or does not fit its data
     */
    public static SafetensorsFile open(Path path) {
        MappedFile file = MappedFile.open(path);
        try {
            return new SafetensorsFile(file);
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    private static int headerLength(MappedFile file) {
        if (file.size() < Long.BYTES) {
            throw InputException.at(file.path())
                    .problem("too short for a safetensors file")
                    .expected("at least 10 bytes")
                    .found(file.size())
                    .cure("Download the file again.")
                    .exception();
        }
        refuseStandIns(file);
        long length = file.segment().get(LENGTH, 0);
        if (length < 2 || length > MAX_HEADER) {
            throw InputException.at(file.path())
                    .problem("no safetensors file, by the length of its header")
                    .expected("2 to " + MAX_HEADER + " bytes")
                    .found(Long.toUnsignedString(length))
                    .cure("Check that this is the weights file; if so, it is damaged: download it again.")
                    .exception();
        }
        if (length > file.size() - Long.BYTES) {
            throw InputException.at(file.path())
                    .problem("the file is truncated inside its header")
                    .expected(length + " bytes of header")
                    .found((file.size() - Long.BYTES) + " bytes")
                    .cure("Download the file again.")
                    .exception();
        }
        return (int) length;
    }

    /** What people get instead of weights: the pointer of an incomplete clone, or a site's error page. */
    private static void refuseStandIns(MappedFile file) {
        byte[] start = file.segment().asSlice(0, Math.min(file.size(), 64)).toArray(ValueLayout.JAVA_BYTE);
        String text = new String(start, StandardCharsets.ISO_8859_1);
        if (text.startsWith("version https://git-lfs")) {
            throw InputException.at(file.path())
                    .problem("this is a Git LFS pointer, not the weights")
                    .cure("Run 'git lfs pull' in the checkpoint's folder.")
                    .exception();
        }
        String head = text.stripLeading().toLowerCase(Locale.ROOT);
        if (head.startsWith("<!doctype") || head.startsWith("<html")) {
            throw InputException.at(file.path())
                    .problem("this is a web page, not the weights")
                    .cure("Download the file itself, signed in if the model asks for it.")
                    .exception();
        }
    }

    /** The file as it was opened. */
    public Path path() {
        return file.path();
    }

    /** Bytes of the whole file. */
    public long size() {
        return file.size();
    }

    /** The strings under {@code __metadata__}, empty when absent. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The tensors by name, in the order of their data. */
    public SequencedMap<String, SafetensorsTensor> tensors() {
        return tensors;
    }

    /** The tensor of this name, or empty. */
    public Optional<SafetensorsTensor> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    /**
     * The tensor of that name.
     *
     * @throws InputException when the file has none
     */
    public SafetensorsTensor require(String name) {
        return find(name).orElseThrow(() -> InputException.at(path())
                .tensor(name)
                .problem("is missing; the file holds " + tensors.size() + " others")
                .exception());
    }

    /**
     * A tensor's bytes, little-endian and possibly unaligned, read-only. What is read through it counts as the
     * process's memory until {@link #close}, though the system may take it back; {@link #read} is for passing through
     * large files.
     */
    public MemorySegment data(SafetensorsTensor tensor) {
        return file.segment().asSlice(tensor.offset(), tensor.byteSize());
    }

    /**
     * Copies a tensor's bytes from byte {@code from} on.
     *
     * @param out all of it is filled: a {@code byte[]}'s segment or native memory
     * @throws InputException when the file has become unreadable or shorter since it was opened
     */
    public void read(SafetensorsTensor tensor, long from, MemorySegment out) {
        Objects.checkFromIndexSize(from, out.byteSize(), tensor.byteSize());
        file.read(tensor.offset() + from, out);
    }

    @Override
    public void close() {
        file.close();
    }
}
