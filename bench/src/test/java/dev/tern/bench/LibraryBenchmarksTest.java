package dev.tern.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.Session;
import dev.tern.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The bodies of benchmarks of the library's parts, each run once. */
class LibraryBenchmarksTest {

    @ParameterizedTest
    @EnumSource
    void samplesAreAmongTheLikeliest(SamplerBenchmark.Chain chain) {
        SamplerBenchmark benchmark = new SamplerBenchmark();
        benchmark.vocabulary = 500;
        benchmark.chain = chain;
        benchmark.fill();
        try {
            for (int i = 0; i < 40; i++) { // each row, and some of them again
                int id = benchmark.sample();
                assertThat(benchmark.last).isEqualTo(i % benchmark.logits.length);
                float[] logits = benchmark.logits[benchmark.last].toArray(ValueLayout.JAVA_FLOAT);
                List<Integer> likeliest = IntStream.range(0, logits.length)
                        .boxed()
                        .sorted(Comparator.comparing(token -> -logits[token]))
                        .limit(chain == SamplerBenchmark.Chain.GREEDY ? 1 : 40)
                        .toList();
                assertThat(likeliest).contains(id);
            }
        } finally {
            benchmark.free();
        }
    }

    @Test
    void textBecomesTokensAndTokensTheText() throws IOException {
        TokenizerBenchmark benchmark = new TokenizerBenchmark();
        benchmark.file = "";
        benchmark.text = "";
        benchmark.characters = 900;
        benchmark.read();
        TokenizerBenchmark.Work work = new TokenizerBenchmark.Work();
        int[] ids = benchmark.encode(work);
        assertThat(ids).isEqualTo(benchmark.ids).hasSizeBetween(100, 600);
        assertThat(benchmark.taken).hasSize(900);
        assertThat(benchmark.decode(work)).isEqualTo(benchmark.taken);
        assertThat(benchmark.stream(work)).isEqualTo(900);
        assertThat(work.tokens).isEqualTo(3L * ids.length);
        assertThat(work.textBytes).isEqualTo(3L * benchmark.taken.getBytes(StandardCharsets.UTF_8).length);
    }

    @Test
    void opensTheFileItWrote() throws IOException {
        OpenBenchmark benchmark = new OpenBenchmark();
        benchmark.file = "";
        benchmark.vocabulary = 700;
        benchmark.write();
        Path folder = benchmark.synthetic.folder();
        assertThat(benchmark.header()).isEqualTo(13); // 7 products and 4 norms of a layer, the embedding, the last norm
        Tokenizer tokenizer = benchmark.tokenizer();
        assertThat(tokenizer.vocabulary().size()).isEqualTo(700);
        assertThat(tokenizer.decode(tokenizer.encode("a word", false, false), false)).isEqualTo("a word");
        assertThat(benchmark.model()).isEqualTo(700);
        benchmark.delete();
        assertThat(Files.exists(folder)).isFalse();
    }

    /** Read in passes, and read token by token, a prompt gives the same logits. */
    @Test
    void promptsAreReadWhole() throws IOException {
        PrefillBenchmark benchmark = new PrefillBenchmark();
        benchmark.file = "";
        benchmark.layers = 1;
        benchmark.prompt = 9;
        benchmark.load();
        Path folder = benchmark.opened.folder();
        PrefillBenchmark.Tokens tokens = new PrefillBenchmark.Tokens();
        try (Session session = benchmark.opened.model().session()) {
            for (int id : benchmark.ids) {
                session.feed(id);
            }
            for (int i = 0; i < 2; i++) {
                assertThat(benchmark.feed(tokens)).isEqualTo(9);
                assertThat(benchmark.session.logits().toArray(ValueLayout.JAVA_FLOAT))
                        .isEqualTo(session.logits().toArray(ValueLayout.JAVA_FLOAT))
                        .doesNotContain(Float.NaN);
            }
            assertThat(tokens.tokens).isEqualTo(18);
        } finally {
            benchmark.delete();
        }
        assertThat(Files.exists(folder)).isFalse();
    }

    /** As in the middle of a chat: steps go on behind the context, and start over behind it. */
    @Test
    void stepsFollowTheContext() throws IOException {
        DecodeBenchmark benchmark = new DecodeBenchmark();
        benchmark.file = "";
        benchmark.layers = 1;
        benchmark.context = 3;
        benchmark.load();
        try {
            int steps = DecodeBenchmark.STEPS + 2;
            for (int i = 0; i < steps; i++) {
                benchmark.step();
            }
            assertThat(benchmark.session.position()).isEqualTo(5);
        } finally {
            benchmark.delete();
        }
    }

    /** A file that is named is used and stays. */
    @Test
    void modelsMayBeGiven() throws IOException {
        try (SyntheticModel given = SyntheticModel.ofVocabulary(600)) {
            PrefillBenchmark benchmark = new PrefillBenchmark();
            benchmark.file = given.file().toString();
            benchmark.prompt = 4;
            benchmark.load();
            assertThat(benchmark.opened.model().hyperparameters().vocabSize()).isEqualTo(600);
            assertThat(benchmark.opened.folder()).isNull();
            benchmark.delete();
            assertThat(given.file()).exists();
        }
    }
}
