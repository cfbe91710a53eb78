package dev.tern.convert;

import dev.tern.codegen.ModelShape;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Who besides Tern can read a file, and what goes wrong where: the facts of 2026, in one place. */
public final class OtherReaders {
    private OtherReaders() {}

    /** Programs that know all of these types. */
    static String of(Set<Outtype> outtypes) {
        if (outtypes.contains(Outtype.TL1) || outtypes.contains(Outtype.TL2)) {
            return "Tern, and bitnet.cpp with kernels of the same tiles";
        }
        boolean fractions = outtypes.contains(Outtype.TQ1_0) || outtypes.contains(Outtype.TQ2_0);
        if (outtypes.contains(Outtype.I2_S)) {
            return fractions ? "Tern and bitnet.cpp" : "Tern, bitnet.cpp and ik_llama.cpp";
        }
        return fractions ? "Tern, llama.cpp and bitnet.cpp" : "whatever reads GGUF";
    }

    /** What llama.cpp reads and all of a model fits: ternary types, or failing these, others that hold T. */
    private static String forLlamaCpp(ModelHyperparameters model) {
        List<Set<Outtype>> choices = List.of(
                EnumSet.of(Outtype.TQ1_0, Outtype.TQ2_0),
                EnumSet.of(Outtype.Q4_0, Outtype.Q8_0),
                EnumSet.of(Outtype.F16));
        String outtypes = choices.stream()
                .filter(choice -> choice.stream().allMatch(outtype -> holds(outtype, model)))
                .findFirst()
                .map(choice -> labels(choice, " or "))
                .orElseThrow(() -> new AssertionError("F16 holds any matrix"));
        String arch = model.architecture();
        return outtypes + (arch.startsWith("bitnet") && !arch.equals("bitnet") ? " with --arch bitnet" : "");
    }

    private static boolean holds(Outtype outtype, ModelHyperparameters model) {
        ModelShape shape = model.shape();
        return Stream.of(shape.query(), shape.keyValue(), shape.attentionOutput(), shape.gateUp(), shape.down())
                .allMatch(matrix -> outtype.obstacle(matrix.rows(), matrix.cols()).isEmpty());
    }

    /** a, b and c. */
    private static String labels(Set<Outtype> outtypes, String last) {
        List<String> labels = outtypes.stream().map(Outtype::label).toList();
        return labels.size() == 1
                ? labels.getFirst()
                : String.join(", ", labels.subList(0, labels.size() - 1)) + last + labels.getLast();
    }

    /**
     * Sentences, without a full stop, about a model in a file.
     *
     * @param outtypes of the file's ternary tensors
     */
    public static List<String> notes(ModelHyperparameters model, Set<Outtype> outtypes) {
        List<String> notes = new ArrayList<>();
        String arch = model.architecture();
        boolean bitnet = arch.startsWith("bitnet");
        boolean squared = model.activation() == FfnActivation.RELU_SQUARED;
        boolean tl2 = outtypes.contains(Outtype.TL2);
        if (tl2 || outtypes.contains(Outtype.TL1)) {
            notes.add((tl2 ? "tl2" : "tl1") + " is read by Tern, which finds the tiles in the file, and by builds of"
                    + " bitnet.cpp whose bitnet-lut-kernels.h was generated with the same tiles; a build with others"
                    + " computes nonsense and does not say so");
            notes.add("llama.cpp, Ollama and LM Studio "
                    + (tl2 ? "take tl2 (type 39) for MXFP4" : "do not know tl1 (type 38)")
                    + ": for them choose " + forLlamaCpp(model));
        } else if (outtypes.contains(Outtype.I2_S)) {
            boolean alone = outtypes.size() == 1;
            notes.add((alone ? "i2_s is" : labels(outtypes, " and ") + " together are") + " read by " + of(outtypes)
                    + "; llama.cpp, Ollama and LM Studio do not know " + (alone ? "it" : "i2_s") + " (type 36): for"
                    + " them choose " + forLlamaCpp(model));
        } else if (bitnet && !arch.equals("bitnet")) {
            notes.add("llama.cpp does not know the architecture '" + arch + "' ('unknown model architecture'); for it"
                    + " choose --arch bitnet");
        }
        if (arch.equals("bitnet") && squared) {
            notes.add("the model's activation is relu²; llama.cpp (0.5.0 as well) runs SiLU for the architecture 'bitnet',"
                    + " whatever bitnet.hidden_activation says: it loads the file and answers worse (a 2B model's perplexity"
                    + " is 100 instead of 17)");
        }
        if (bitnet && !arch.equals("bitnet") && !squared) {
            notes.add("the model's activation is SiLU; programs that do not read " + arch + ".hidden_activation run relu²"
                    + " for this architecture: choose --arch bitnet for them");
        }
        if (model.lowRank().largest() > 0) {
            notes.add("the model has low-rank corrections beside its projections (tensors .lrc_u and .lrc_v); of the"
                    + " programs named here only Tern computes with them");
        }
        if (bitnet && !model.tiedHead()) {
            notes.add("the model has a head of its own; bitnet.cpp and llama.cpp compute with the embedding instead for"
                    + " the bitnet architectures");
        }
        return notes;
    }
}
