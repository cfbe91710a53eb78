package dev.tern.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.tern.io.InputException;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Whatever random tokens a schema's grammar lets through is JSON, and valid by somebody else's validator. */
class JsonSchemaTest {
    private static final JsonMapper EXACT = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final JsonMapper DOUBLES = JsonMapper.builder().build();

    static final List<String> SCHEMAS = SchemaCases.SCHEMAS;

    private static VocabularyTrie tiny;
    private static VocabularyTrie large;

    @BeforeAll
    static void makeTries() {
        tiny = TestVocabularies.tiny();
        large = TestVocabularies.large(5_000);
    }

    @ParameterizedTest
    @FieldSource("SCHEMAS")
    void randomTokensMakeValidValues(String text) {
        JsonNode schema = EXACT.readTree(text);
        Grammar grammar = Grammar.ofJsonSchema(schema);
        Schema validator = validator(schema);
        boolean formats = !text.contains("\"email\"");
        for (int seed = 0; seed < 12; seed++) {
            String value = new RandomChoices(seed % 2 == 0 ? tiny : large, seed).text(grammar, 10 + 4 * seed);
            for (JsonMapper mapper : List.of(EXACT, DOUBLES)) {
                List<Error> errors = validator.validate(
                        mapper.readTree(value),
                        context -> context.executionConfig(c -> c.formatAssertionsEnabled(formats)));
                assertThat(errors).as("%s by %s", value, text).isEmpty();
            }
        }
    }

    private static Schema validator(JsonNode schema) {
        SpecificationVersion version = schema.path("$schema").asString("").contains("draft-07")
                ? SpecificationVersion.DRAFT_7
                : schema.path("$schema").asString("").contains("draft-04")
                        ? SpecificationVersion.DRAFT_4
                        : SpecificationVersion.DRAFT_2020_12;
        return SchemaRegistry.withDefaultDialect(version).getSchema(schema);
    }

    /** The validator wants the domains of addresses to be registered ones. */
    @Test
    void addressesHaveALocalPartAndADomain() {
        Grammar grammar = Grammar.ofJsonSchema(EXACT.readTree("{\"format\":\"email\"}"));
        for (int seed = 0; seed < 40; seed++) {
            assertThat(new RandomChoices(tiny, seed).text(grammar, 15))
                    .matches("\"[a-zA-Z0-9_+.-]+@([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\\.)+[a-zA-Z]+\"")
                    .doesNotContain("..", ".@", "\".");
        }
    }

    /** What the grammar should let through, and what not: schema, texts that are, texts that are not. */
    @ParameterizedTest
    @FieldSource("dev.tern.grammar.SchemaCases#EXAMPLES")
    void valuesAreThoseOfTheSchema(SchemaCases.Example example) {
        Grammar grammar = Grammar.ofJsonSchema(EXACT.readTree(example.schema()));
        for (String text : example.valid()) {
            assertThat(grammar.matches(text)).as("%s by %s", text, example.schema()).isTrue();
        }
        for (String text : example.invalid()) {
            assertThat(grammar.matches(text)).as("%s by %s", text, example.schema()).isFalse();
        }
    }

    @Test
    void jsonModeIsAnyObject() {
        Grammar json = Grammar.json();
        for (String text : List.of(
                "{}",
                "{ }",
                "{\"a\":1}",
                "{\"a\": [1, -2.5e+10, true, false, null, \"\\u00e9\\n\\/\"],\n  \"\": {\"b\": []}}",
                "{\"\\uD83D\\ude00\": \"\uD83D\uDE00\"}")) {
            assertThat(json.matches(text)).as(text).isTrue();
        }
        for (String text : List.of(
                "", "[]", " {}", "{} ", "{\"a\"}", "{\"a\":01}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":\"\n\"}", "{a:1}",
                "{\"a\":1,}", "{   }", "{\"\\ud83d\":1}", "{\"\\ude00\":1}", "{\"a\":\"\\x\"}", "{\"a\":nul}")) {
            assertThat(json.matches(text)).as(text).isFalse();
        }
        for (int seed = 0; seed < 40; seed++) {
            String text = new RandomChoices(seed % 2 == 0 ? tiny : large, seed).text(json, 2 * seed);
            assertThat(EXACT.readTree(text).isObject()).as(text).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', value = {
        "{\"not\":{}}~ schema at #/not: the keyword 'not' is not supported",
        "{\"properties\":{\"a/b\":{\"if\":true}}}~ schema at #/properties/a~1b/if: the keyword 'if' is not supported",
        "{\"items\":{\"contains\":1},\"type\":\"array\"}~ schema at #/items/contains",
        "{\"uniqueItems\":true}~ schema at #/uniqueItems: the keyword 'uniqueItems' is not supported",
        "{\"type\":\"strin\"}~ schema at #/type: unknown type; expected object, array",
        "{\"$ref\":\"http://x/y\"}~ schema at #/$ref: only references within the schema are followed",
        "{\"$ref\":\"#/$defs/a\"}~ schema at #/$ref: nothing stands at '#/$defs/a'",
        "{\"anyOf\":[{\"type\":\"string\"},3]}~ schema at #/anyOf/1: expected a schema",
        "{\"allOf\":{}}~ schema at #/allOf: expected an array",
        "{\"type\":\"string\",\"pattern\":\"(?=a)\"}~ schema at #/pattern: pattern: looking around is not supported",
        "{\"pattern\":\"(a)\\\\1\"}~ schema at #/pattern: pattern: references back are not supported",
        "{\"pattern\":\"a(b\"}~ a group is not closed",
        "{\"pattern\":\"a^b\"}~ an anchor stands inside",
        "{\"pattern\":\"[z-a]\"}~ a range of characters is none",
        "{\"pattern\":\"\\\\bx\"}~ word boundaries are not supported",
        "{\"format\":\"regex\"}~ schema at #/format: the format 'regex' is not supported",
        "{\"minimum\":\"1\"}~ schema at #/minimum: expected a number",
        "{\"maximum\":1e400}~ schema at #/maximum: a number is too large or too fine",
        "{\"const\":1e999999999}~ schema at #/const: a number is too large or too fine",
        "{\"multipleOf\":0}~ schema at #/multipleOf: expected a number above 0",
        "{\"multipleOf\":0.0001234567}~ 'multipleOf' is too fine or too large",
        "{\"type\":\"number\",\"minimum\":1e20}~ bounds of numbers are too large",
        "{\"minLength\":-1}~ schema at #/minLength: expected a whole number from 0 on",
        "{\"minLength\":100000}~ 'minLength' is too large",
        "{\"minItems\":1000000}~ 'minItems' is too large",
        "{\"type\":\"object\",\"minProperties\":2}~ schema at #/minProperties: 'minProperties' is not supported beyond",
        "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}~ schema at #/oneOf: a value may satisfy both",
        "{\"oneOf\":[{\"properties\":{\"a\":{}}},{\"properties\":{\"b\":{}}}]}~ a value may satisfy both",
        "{\"oneOf\":[{\"type\":\"string\",\"pattern\":\"a\"},{\"type\":\"string\",\"pattern\":\"b\"}]}~ satisfy both",
        "false~ schema: no value satisfies it",
        "{\"enum\":[]}~ schema: no value satisfies it",
        "{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}~ no value satisfies it",
        "{\"type\":\"string\",\"allOf\":[{\"type\":\"object\"}]}~ no value satisfies it",
        "{\"required\":[\"a\"],\"properties\":{\"a\":false}}~ no value satisfies it",
        "{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}~ no value satisfies it",
        "{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}~ a rule begins with itself",
        "{\"allOf\":[{\"$ref\":\"#/$defs/x\"}],\"$defs\":{\"x\":{\"not\":{}}}}~ schema at #/$defs/x/not",
        "\"x\"~ schema at #: expected a schema: an object, true or false",
    })
    void whatCannotBeKeptIsNamed(String schema, String message) {
        JsonNode node = EXACT.readTree(schema);
        assertThatThrownBy(() -> Grammar.ofJsonSchema(node))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(message.strip());
    }
}
