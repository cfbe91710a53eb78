package dev.tern.measure;

/**
 * A test as llama-bench has them: a prompt processed at once, then tokens one at a time, behind a context that is there
 * already and is not measured.
 *
 * @param prompt tokens processed in batches
 * @param generated tokens processed one at a time after them
 * @param depth tokens in the context before the test
 * @throws IllegalArgumentException when a number is negative, or there is nothing to process
 */
public record BenchTest(int prompt, int generated, int depth) {

    public BenchTest {
        if (prompt < 0 || generated < 0 || depth < 0 || prompt + (long) generated + depth > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(prompt + ", " + generated + " and " + depth + " tokens");
        }
        if (prompt + generated == 0) {
            throw new IllegalArgumentException("a test of no tokens");
        }
    }

    /** Such as {@code pp512}, {@code tg128}, {@code pp512+tg128}, {@code tg128 @ d1024}. */
    public String name() {
        String name = prompt == 0 ? "tg" + generated : "pp" + prompt + (generated == 0 ? "" : "+tg" + generated);
        return depth == 0 ? name : name + " @ d" + depth;
    }

    /** Tokens that are measured. */
    public int tokens() {
        return prompt + generated;
    }

    /** Positions that a context needs for it. */
    public int contextLength() {
        return depth + prompt + generated;
    }
}
