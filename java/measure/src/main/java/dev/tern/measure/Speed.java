package dev.tern.measure;

/**
 * How fast one test ran, as llama-bench names tests.
 *
 * @param prompt tokens processed at once, 0 for none
 * @param generated tokens processed one at a time after them, 0 for none
 * @param depth tokens in the context before the test
 * @param threads that computed
 * @param tokensPerSecond one sample a repetition
 */
public record Speed(int prompt, int generated, int depth, int threads, Spread tokensPerSecond) {

    /** Such as {@code pp512}, {@code tg128}, {@code pp512+tg128}, {@code tg128 @ d1024}. */
    public String test() {
        return new BenchTest(prompt, generated, depth).name();
    }
}
