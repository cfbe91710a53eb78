package dev.tern.model;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.kernels.FloatType;
import java.util.stream.Collectors;

/** Element types of a file's tensors, and what kernels call them. */
public final class TensorTypes {
    private TensorTypes() {}

    /**
     * Refuses what Tern does not compute with.
     *
     * @throws InputException when the tensor's type is none of its kind's {@link TensorShape.Kind#types types}
     */
    public static void require(GgufFile file, GgufTensor tensor, TensorShape.Kind kind) {
        if (!kind.types().contains(tensor.type())) {
            throw refused(file, tensor, kind);
        }
    }

    /**
     * The kernels' type of a file's tensor.
     *
     * @param kind whose {@link TensorShape.Kind#types types} are allowed, those of the embedding or of low-rank
     *     corrections
     * @throws InputException when the tensor's type is none of them
     */
    public static FloatType floatType(GgufFile file, GgufTensor tensor, TensorShape.Kind kind) {
        require(file, tensor, kind);
        return switch (tensor.type()) {
            case F32 -> FloatType.F32;
            case F16 -> FloatType.F16;
            case BF16 -> FloatType.BF16;
            case Q8_0 -> FloatType.Q8_0;
            case Q6_K -> FloatType.Q6_K;
            default -> throw new IllegalArgumentException(kind.words() + " are no floats");
        };
    }

    static InputException refused(GgufFile file, GgufTensor tensor, TensorShape.Kind kind) {
        return InputException.at(file.path())
                .tensor(tensor.name())
                .problem("no type that Tern computes " + kind.words() + " with")
                .expected(names(kind))
                .found(tensor.type())
                .cure(kind == TensorShape.Kind.EMBEDDING
                        ? "Convert the original checkpoint with --embedding-type f16."
                        : "Convert the original checkpoint with tern convert.")
                .exception();
    }

    /** What a kind may be stored as, in words. */
    public static String names(TensorShape.Kind kind) {
        String names = kind.types().stream().map(GgmlType::name).collect(Collectors.joining(", "));
        return kind.types().size() == 1 ? "type " + names : "one of the types " + names;
    }
}
