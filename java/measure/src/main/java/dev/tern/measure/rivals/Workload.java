package dev.tern.measure.rivals;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What every engine is asked to do in a round.
 *
 * @param prompt tokens of the prompt test, 0 for none
 * @param generated tokens of the generation test, 0 for none
 * @param threads numbers of threads, one after the other
 * @param files of this comparison that a rival may run, by outtype as {@code --outtype} spells it
 */
public record Workload(int prompt, int generated, List<Integer> threads, Map<String, Path> files) {

    public Workload {
        threads = List.copyOf(threads);
        files = Map.copyOf(files);
        if (prompt < 0 || generated < 0 || prompt + generated == 0) {
            throw new IllegalArgumentException("nothing to measure: prompt " + prompt + ", generated " + generated);
        }
        if (threads.isEmpty() || threads.stream().anyMatch(n -> n < 1)) {
            throw new IllegalArgumentException("threads " + threads);
        }
    }
}
