package dev.tern.measure.comparison;

import java.util.List;

/**
 * How was measured. Formats and engines took turns: each round runs every one of them once, so that what happens on the
 * machine meanwhile befalls all alike.
 *
 * @param rounds turns of each
 * @param prompt tokens of the prompt test
 * @param generated tokens of the generation test
 * @param threads numbers of threads
 * @param text name of the text that quality was measured on; empty where it was not measured
 * @param textTokens of that text that were scored
 * @param reference what quality is held against, in words
 */
public record Method(
        int rounds, int prompt, int generated, List<Integer> threads, String text, int textTokens, String reference) {

    public Method {
        threads = List.copyOf(threads);
    }
}
