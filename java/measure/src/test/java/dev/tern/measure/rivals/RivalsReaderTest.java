package dev.tern.measure.rivals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RivalsReaderTest {
    private static final String GOOD = """
            {"about": "mine", "engines": [{"engine": "x", "type": "q4", "model": "m", "needs": ["n"], "version": ["v"],
              "directory": "d", "environment": {"A": "b"}, "time_limit_s": 5, "terms": "t",
              "runs": [{"command": ["p", "{model}"], "reads": ["(?<decode>.)"]}]}]}""";

    @TempDir
    Path folder;

    @Test
    void readsEveryField() throws IOException {
        assertThat(read(GOOD).engines()).containsExactly("x");
        assertThat(read("{\"engines\": []}").engines()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', textBlock = """
            "about" ~ "abuot" ~ key 'abuot': there is no such field; expected about, engines
            "terms": "t" ~ "term": "t" ~ key 'engines[0].term': there is no such field
            "reads" ~ "read" ~ key 'engines[0].runs[0].read': there is no such field
            "engines": [{ ~ "engines": [7, { ~ key 'engines[0]': expected an object, found 7
            "engine": "x" ~ "engine": "" ~ key 'engines[0].engine': expected a text, found ""
            "type": "q4", ~  ~ key 'engines[0].type': expected a text, found nothing
            "model": "m", ~  ~ key 'engines[0].model': expected a file or folder, since {model}
            "model": "m" ~ "model": "{model}" ~ model': expected only {here}, {file:OUTTYPE} and ${VARIABLE} here
            "m", "needs" ~ "{threads}", "needs" ~ key 'engines[0].model': expected only {here}
            ["n"] ~ "n" ~ key 'engines[0].needs': expected an array of files, found "n"
            ["v"] ~ [] ~ key 'engines[0].version': expected a text, or an array
            {"A": "b"} ~ {"A": 1} ~ key 'engines[0].environment.A': expected a text, found 1
            {"A": "b"} ~ {"A=": "b"} ~ key 'engines[0].environment': expected names of variables
            "time_limit_s": 5 ~ "time_limit_s": 0 ~ time_limit_s': expected whole seconds, 1 to 86400, found 0
            "time_limit_s": 5 ~ "time_limit_s": "5" ~ expected whole seconds
            ["p", "{model}"] ~ [] ~ key 'engines[0].runs[0].command': expected an array: the program
            ["p", "{model}"] ~ "p m" ~ key 'engines[0].runs[0].command': expected an array: the program
            "{model}" ~ "{modle}" ~ runs[0].command[1]': '{modle}' stands for nothing; expected {threads}
            "{model}" ~ "{prompt-1}" ~ '{prompt-1}' stands for nothing
            "{model}" ~ "{" ~ '{' stands for nothing
            "{model}" ~ "${a b}" ~ '${a b}' stands for nothing
            ["(?<decode>.)"] ~ "llama-cli" ~ key 'engines[0].runs[0].reads': expected "llama-bench", or an array
            ["(?<decode>.)"] ~ ["(?<decode>."] ~ runs[0].reads[0]': not a regular expression: Unclosed group
            ["(?<decode>.)"] ~ ["(?<speed>.)"] ~ runs[0].reads[0]': expected named groups (?<...>) out of decode,
            ["(?<decode>.)"] ~ ["."] ~ key 'engines[0].runs[0].reads[0]': expected named groups
            ["(?<decode>.)"] ~ ["(?<promptTokens>.)"] ~ key 'engines[0].runs[0].reads': expected a group named prefill
            ]}]} ~ ]}] ~ not valid JSON
            {"A": "b"} ~ {"A": "b", "A": "c"} ~ not valid JSON: Duplicate
            """)
    void saysWhatIsWrongAndWhere(String good, @Nullable String bad, String message) {
        String text = GOOD.replace(good, bad == null ? "" : bad);
        assertThat(text).isNotEqualTo(GOOD);
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith(folder.resolve("rivals.json") + ": ")
                .hasMessageContaining(message);
    }

    @Test
    void namesAreUnique() {
        String engine = GOOD.substring(GOOD.indexOf("[{\"engine") + 1, GOOD.lastIndexOf(']'));
        assertThatThrownBy(() -> read("{\"engines\": [" + engine + ", " + engine + "]}"))
                .hasMessageContaining("key 'engines[1].engine': expected a name that no other engine has, found \"x\"");
    }

    @Test
    void theExampleInTheRepositoryIsRight() {
        Path example = Path.of("../../bench/rivals/rivals.json");
        assertThat(Rivals.read(example).engines()).isNotEmpty();
    }

    private Rivals read(String json) throws IOException {
        return Rivals.read(Files.writeString(folder.resolve("rivals.json"), json));
    }
}
