package dev.tern.measure.report;

import dev.tern.measure.report.Verdict.Advice;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** Which programs read which outtypes; docs/formats.md says more, such as for which architectures. */
final class Readers {
    private static final Set<String> LLAMA_CPP = Set.of("tq1_0", "tq2_0");
    private static final Set<String> BITNET_CPP = Set.of("i2_s");
    private static final Set<String> ANY = Set.of("q2_k", "q4_0", "q8_0", "f16", "bf16", "f32");

    private Readers() {}

    /** What to take for programs that read some of the formats measured. */
    static List<Advice> advice(Results results) {
        List<Advice> advice = new ArrayList<>();
        List<Entry> sound = new QualityWords(results).sound();
        List<Entry> llama = smallestFirst(sound, LLAMA_CPP);
        if (!llama.isEmpty()) {
            Phrase phrase = new Phrase().code(llama.getFirst().name()).text(", " + size(llama.getFirst()));
            if (llama.size() > 1) {
                phrase.text(", or ").code(llama.get(1).name()).text(", " + size(llama.get(1)) + ", which runs faster there");
            }
            advice.add(new Advice("For llama.cpp", phrase.text(", where it knows the model's architecture.")));
        }
        List<Entry> bitnet = smallestFirst(sound, BITNET_CPP);
        if (!bitnet.isEmpty()) {
            advice.add(new Advice("For bitnet.cpp", new Phrase().code("i2_s").text(", " + size(bitnet.getFirst())
                    + "; ik_llama.cpp reads it to convert from.")));
        }
        List<Entry> any = smallestFirst(sound, ANY);
        if (!any.isEmpty()) {
            advice.add(new Advice("For readers that know no ternary type",
                    new Phrase().code(any.getFirst().name()).text(", " + size(any.getFirst())
                            + ", the smallest here that all who follow llama.cpp read.")));
        }
        return advice;
    }

    private static List<Entry> smallestFirst(List<Entry> entries, Set<String> names) {
        return entries.stream()
                .filter(entry -> names.contains(entry.name()) && entry.fileBytes() > 0)
                .sorted(Comparator.comparingLong(Entry::fileBytes))
                .toList();
    }

    private static String size(Entry entry) {
        return Numbers.bytes(entry.fileBytes());
    }
}
