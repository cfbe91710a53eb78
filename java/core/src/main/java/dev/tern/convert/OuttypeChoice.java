package dev.tern.convert;

import dev.tern.io.InputException;
import dev.tern.ternary.Outtype;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The type of every ternary tensor: the one asked for, or the first of a list that its dimensions allow.
 *
 * @param most the one that holds most ternary weights
 * @param used all of them, in the order of that list: from the fewest bits a weight on
 */
record OuttypeChoice(Map<String, Outtype> byName, Outtype most, Set<Outtype> used, List<String> notes) {
    /**
     * The smallest first, of those that need no kernels of the same tiles, and at equal size the one that more programs
     * read.
     */
    private static final List<Outtype> AUTO = List.of(Outtype.TQ1_0, Outtype.I2_S, Outtype.Q4_0, Outtype.F16);

    /** @param wanted null for {@link #AUTO} */
    static OuttypeChoice of(ConversionSource source, @Nullable Outtype wanted) {
        Map<String, Outtype> byName = new LinkedHashMap<>();
        Map<Outtype, Long> weights = new EnumMap<>(Outtype.class);
        ternary(source).forEach(tensor -> {
            Outtype outtype = wanted == null ? smallest(tensor) : wanted;
            if (wanted != null) {
                wanted.obstacle((int) tensor.rows(), (int) tensor.cols()).ifPresent(reason -> {
                    throw cannotHold(source, tensor, wanted, reason);
                });
            }
            byName.put(tensor.name(), outtype);
            weights.merge(outtype, tensor.elements(), Long::sum);
        });
        Outtype most = weights.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse(wanted == null ? AUTO.getFirst() : wanted);
        Set<Outtype> used = new LinkedHashSet<>(wanted == null ? AUTO : List.of(wanted));
        used.retainAll(weights.keySet());
        return new OuttypeChoice(byName, most, used, wanted == null ? notes(byName, used) : List.of());
    }

    private static Outtype smallest(SourceTensor tensor) {
        return AUTO.stream()
                .filter(outtype -> holds(outtype, tensor))
                .findFirst()
                .orElseThrow(() -> new AssertionError("F16 holds any matrix"));
    }

    private static boolean holds(Outtype outtype, SourceTensor tensor) {
        return outtype.obstacle((int) tensor.rows(), (int) tensor.cols()).isEmpty();
    }

    private static Stream<SourceTensor> ternary(ConversionSource source) {
        return source.tensors().stream().filter(tensor -> tensor.kind() == SourceTensor.Kind.TERNARY);
    }

    /** What was chosen, and for mixtures why. */
    private static List<String> notes(Map<String, Outtype> byName, Set<Outtype> used) {
        Map<Outtype, Long> counts = new EnumMap<>(Outtype.class);
        byName.values().forEach(outtype -> counts.merge(outtype, 1L, Long::sum));
        List<String> notes = new ArrayList<>();
        String chosen = used.stream()
                .map(outtype -> counts.size() == 1 ? outtype.label() : outtype.label() + " for " + counts.get(outtype))
                .collect(Collectors.joining(", ", "", counts.size() == 1 ? "" : " matrices"));
        notes.add("outtype auto: " + chosen
                + (counts.size() == 1 && counts.containsKey(AUTO.getFirst())
                        ? ""
                        : ", as the numbers of columns allow (tq1_0 needs a multiple of 256, i2_s of 128, q4_0 of 32)")
                + "; read by " + OtherReaders.of(used));
        return notes;
    }

    Outtype of(SourceTensor tensor) {
        Outtype outtype = byName.get(tensor.name());
        if (outtype == null) {
            throw new IllegalArgumentException(tensor.name() + " is not ternary");
        }
        return outtype;
    }

    /** The labels of all outtypes that can hold all ternary tensors. */
    static String allThatHold(ConversionSource source) {
        return Arrays.stream(Outtype.values())
                .filter(outtype -> ternary(source).allMatch(tensor -> holds(outtype, tensor)))
                .map(Outtype::label)
                .collect(Collectors.joining(", "));
    }

    /** The labels of all outtypes that can hold a ternary tensor of this scale, whatever T is. */
    static String thatHold(SourceTensor tensor, float scale) {
        return Arrays.stream(Outtype.values())
                .filter(outtype -> holds(outtype, tensor) && outtype.scaleObstacle(scale).isEmpty())
                .map(Outtype::label)
                .collect(Collectors.joining(", "));
    }

    private static InputException cannotHold(
            ConversionSource source, SourceTensor tensor, Outtype outtype, String reason) {
        return InputException.at(source.path())
                .tensor(tensor.source())
                .problem("[" + tensor.rows() + ", " + tensor.cols() + "] cannot be held by " + outtype.label() + ": "
                        + reason)
                .cure("Outtypes that can hold all of this model: " + allThatHold(source)
                        + ". Or choose auto, which takes the smallest tensor by tensor.")
                .exception();
    }
}
