package dev.tern.inspect;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufDeclarations;
import dev.tern.gguf.GgufDeclarations.Tensor;
import dev.tern.gguf.GgufValue;
import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.io.InputException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** Why a GGUF file cannot be opened, told from what its header declares. */
final class BrokenGguf {
    private final GgufDeclarations file;
    private final List<Tensor> byOffset;
    private final InputException refusal;

    private BrokenGguf(GgufDeclarations file, InputException refusal) {
        this.file = file;
        this.refusal = refusal;
        this.byOffset =
                file.tensors().stream().sorted(Comparator.comparingLong(Tensor::offset)).toList();
    }

    /** @param refusal why it was refused */
    static Finding explain(Path path, InputException refusal) {
        try {
            return new BrokenGguf(GgufDeclarations.read(path), refusal).explain();
        } catch (InputException e) {
            return new Finding(
                    FindingKind.DAMAGED,
                    Severity.ERROR,
                    "The header cannot be read: " + Sentences.of(e),
                    "Get the file again and compare its size and SHA-256; if they are right, its writer is at fault.");
        }
    }

    private Finding explain() {
        return offsetDrift()
                .or(this::unreadableType)
                .or(this::removedType)
                .or(this::truncated)
                .orElseGet(() -> new Finding(
                        FindingKind.DAMAGED,
                        Severity.ERROR,
                        Sentences.of(refusal),
                        "Get the file again; if it stays so, convert the original checkpoint with `tern convert`."));
    }

    /** I2_S tensors for which the offsets leave the codes room, and the 32 bytes of the scale none. */
    private Optional<Finding> offsetDrift() {
        int short32 = 0;
        for (int i = 0; i + 1 < byOffset.size(); i++) {
            Tensor tensor = byOffset.get(i);
            long room = byOffset.get(i + 1).offset() - tensor.offset();
            OptionalLong bytes = bytes(tensor);
            if (tensor.typeId() == GgmlType.I2_S.id()
                    && bytes.isPresent()
                    && room == bytes.getAsLong() - GgmlType.SCALE_TAIL) {
                short32++;
            }
        }
        if (short32 == 0) {
            return Optional.empty();
        }
        Tensor last = byOffset.getLast();
        long surplus = file.fileSize() - file.dataStart() - last.offset() - bytes(last).orElse(0);
        boolean written = surplus >= (long) GgmlType.SCALE_TAIL * short32;
        return Optional.of(new Finding(
                FindingKind.OFFSET_DRIFT,
                Severity.ERROR,
                "The offsets leave out the 32 bytes of the scale behind each of " + short32 + " I2_S tensors: "
                        + (written
                                ? "the bytes are there, so every tensor lies 32 bytes further behind its offset than the one"
                                        + " before, and whoever trusts the offsets reads garbage"
                                : "the scales are not in the file")
                        + ". A converter counted the codes alone (an early convert-hf-to-gguf-bitnet.py does); such files"
                        + " mostly hold the codes in another order as well.",
                "Convert the original checkpoint with `tern convert`."));
    }

    private Optional<Finding> unreadableType() {
        return file.tensors().stream()
                .filter(tensor -> GgmlType.ofId(tensor.typeId()).isEmpty())
                .findFirst()
                .map(tensor -> new Finding(
                        FindingKind.UNREADABLE_TYPE,
                        Severity.ERROR,
                        "Tensor '" + tensor.name() + "' is of type " + Integer.toUnsignedString(tensor.typeId()) + ": "
                                + GgmlType.describe(tensor.typeId()) + ".",
                        "Convert the original checkpoint with `tern convert`, to a type that the program you use reads."));
    }

    /** A number that bitnet.cpp uses, of a tensor that takes at least twice the room: llama.cpp's former or present type. */
    private Optional<Finding> removedType() {
        for (int i = 0; i + 1 < byOffset.size(); i++) {
            Tensor tensor = byOffset.get(i);
            OptionalLong bytes = bitnetBytes(tensor);
            long room = byOffset.get(i + 1).offset() - tensor.offset();
            if (bytes.isPresent() && room / 2 >= bytes.getAsLong()) {
                return Optional.of(new Finding(
                        FindingKind.UNREADABLE_TYPE,
                        Severity.ERROR,
                        Sentences.of(refusal),
                        "The number means one thing to llama.cpp and another to bitnet.cpp; convert the original checkpoint"
                                + " with `tern convert`."));
            }
        }
        return Optional.empty();
    }

    private static OptionalLong bitnetBytes(Tensor tensor) {
        Optional<GgmlType> type = Stream.of(GgmlType.I2_S, GgmlType.TL1, GgmlType.TL2)
                .filter(candidate -> candidate.id() == tensor.typeId())
                .findFirst();
        return type.isEmpty() ? OptionalLong.empty() : bytes(tensor, type.get());
    }

    private Optional<Finding> truncated() {
        long end = 0;
        int beyond = 0;
        for (Tensor tensor : byOffset) {
            OptionalLong bytes = bytes(tensor);
            if (bytes.isEmpty()) {
                return Optional.empty();
            }
            try {
                long tensorEnd = Math.addExact(Math.addExact(file.dataStart(), tensor.offset()), bytes.getAsLong());
                end = Math.max(end, tensorEnd);
                beyond += tensorEnd > file.fileSize() ? 1 : 0;
            } catch (ArithmeticException e) {
                return Optional.empty();
            }
        }
        if (beyond == 0 || file.fileSize() >= end) {
            return Optional.empty();
        }
        return Optional.of(new Finding(
                FindingKind.TRUNCATED,
                Severity.ERROR,
                "The file is truncated: it has " + file.fileSize() + " bytes of " + end + ", so " + beyond + " of "
                        + byOffset.size() + " tensors are missing or cut off.",
                "The download or copy broke off: get the file again, or resume it (`curl -C -`)."));
    }

    private OptionalLong bytes(Tensor tensor) {
        Optional<GgmlType> type = tensor.typeId() == GgmlType.TL2.id() && ofBitnet()
                ? Optional.of(GgmlType.TL2)
                : GgmlType.ofId(tensor.typeId());
        return type.isEmpty() ? OptionalLong.empty() : bytes(tensor, type.get());
    }

    private static OptionalLong bytes(Tensor tensor, GgmlType type) {
        try {
            long rows = 1;
            for (int d = 1; d < tensor.dims().length; d++) {
                rows = Math.multiplyExact(rows, tensor.dims()[d]);
            }
            return OptionalLong.of(type.bytes(tensor.dims()[0], rows));
        } catch (IllegalArgumentException | ArithmeticException e) {
            return OptionalLong.empty();
        }
    }

    private boolean ofBitnet() {
        GgufValue architecture = file.metadata().get("general.architecture");
        return architecture != null && String.valueOf(architecture.value()).startsWith("bitnet");
    }
}
