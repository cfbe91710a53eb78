package dev.tern.convert;

import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.util.ArrayList;
import java.util.List;

/** Who besides Tern can read a file, and what goes wrong where: the facts of 2026, in one place. */
public final class OtherReaders {
    private OtherReaders() {}

    /** Sentences, without a full stop, about a model in a file of this outtype. */
    public static List<String> notes(ModelHyperparameters model, Outtype outtype) {
        List<String> notes = new ArrayList<>();
        String arch = model.architecture();
        boolean bitnet = arch.startsWith("bitnet");
        boolean squared = model.activation() == FfnActivation.RELU_SQUARED;
        if (outtype == Outtype.TL1 || outtype == Outtype.TL2) {
            notes.add(outtype.label() + " is read by Tern, which finds the tiles in the file, and by builds of"
                    + " bitnet.cpp whose bitnet-lut-kernels.h was generated with the same tiles; a build with others"
                    + " computes nonsense and does not say so");
            notes.add(outtype == Outtype.TL2
                    ? "llama.cpp, Ollama and LM Studio take tl2 (type 39) for MXFP4: for them choose tq1_0 or tq2_0"
                    : "llama.cpp, Ollama and LM Studio do not know tl1 (type 38): for them choose tq1_0 or tq2_0");
        } else if (outtype == Outtype.I2_S) {
            notes.add("i2_s is read by Tern, bitnet.cpp and ik_llama.cpp; llama.cpp, Ollama and LM Studio do not know it"
                    + " (type 36): for them choose tq1_0 or tq2_0");
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
        if (bitnet && !model.tiedHead()) {
            notes.add("the model has a head of its own; bitnet.cpp and llama.cpp compute with the embedding instead for"
                    + " the bitnet architectures");
        }
        return notes;
    }
}
