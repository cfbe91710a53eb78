package dev.tern.tools;

/**
 * Between which marks a model reasons before it answers.
 *
 * @param open stands at the beginning of an answer
 * @param close ends it
 * @param begun whether the prompt ends with {@code open}, so that the answer begins with reasoning
 * @param separate whether reasoning is told apart; if not, it and its marks are content
 */
record ReasoningMarks(String open, String close, boolean begun, boolean separate) {

    /** The marks of this template, with this prompt. */
    static ReasoningMarks of(String source, String prompt, boolean separate) {
        boolean brackets = source.contains("[THINK]") && !source.contains("<think>");
        String open = brackets ? "[THINK]" : "<think>";
        String close = brackets ? "[/THINK]" : "</think>";
        return new ReasoningMarks(open, close, prompt.stripTrailing().endsWith(open), separate);
    }
}
