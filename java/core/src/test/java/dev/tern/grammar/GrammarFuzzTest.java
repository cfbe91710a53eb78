package dev.tern.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Whatever a request brings is a grammar or its own fault, and is done with soon. */
class GrammarFuzzTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final VocabularyTrie trie = TestVocabularies.tiny();

    /** Some tokens, whether the text comes to an end or not. */
    private void use(Grammar grammar, long seed) {
        RandomChoices choices = new RandomChoices(trie, seed);
        GrammarConstraint constraint = grammar.constrain(trie);
        for (int i = 0; i < 6 && !constraint.isFinished(); i++) {
            int id = choices.choose(constraint, false);
            constraint.accept(id);
            if (trie.tokenizer().isEnd(id)) {
                return;
            }
        }
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void damagedGrammars() {
        List<String> sources = List.of(
                TokenMasksTest.JSON,
                "root ::= (a | \"x\"{2,5} [^a-z\\n]?)+ b # c\na ::= \"\\u00e9\" | b{3}\nb ::= [0-9]* \"-\" | \"\"");
        String signs = "\"\\[](){}|*+?^-.,:=# \nroot0a";
        SplittableRandom random = new SplittableRandom(1);
        int taken = 0;
        for (int round = 0; round < 2_000; round++) {
            StringBuilder text = new StringBuilder(sources.get(random.nextInt(sources.size())));
            for (int changes = random.nextInt(1, 6); changes > 0; changes--) {
                int at = random.nextInt(text.length());
                switch (random.nextInt(3)) {
                    case 0 -> text.deleteCharAt(at);
                    case 1 -> text.insert(at, signs.charAt(random.nextInt(signs.length())));
                    default -> text.setCharAt(at, signs.charAt(random.nextInt(signs.length())));
                }
            }
            try {
                use(Grammar.parse(text.toString()), round);
                taken++;
            } catch (InputException e) {
                assertThat(e).hasMessageStartingWith("grammar");
            }
        }
        assertThat(taken).isBetween(100, 1_900);
    }

    /** Ambiguity of every kind: what cannot be followed with bounded work is refused. */
    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void ambiguousGrammars() {
        for (String gbnf : List.of(
                "root ::= (((.*)*)*)* \"x\"",
                "root ::= (.? .? .? .? .? .? .? .?){1000}",
                "root ::= (a | b | c)* \"!\"\na ::= [a-z] a [0-9] | [a-z]\n"
                        + "b ::= [a-z] b [0-9]? | [a-m]\nc ::= [a-z]+ c? [0-9]",
                "root ::= [a-z] root [a-z] root | [a-z] root root | \"\"",
                "root ::= x{0,300} y\nx ::= [a-z ]{0,300}\ny ::= x{0,300}",
                "root ::= a* a* a* a* a* a* a* a* a* a*\na ::= [a-z]{0,2000}")) {
            try {
                use(Grammar.parse(gbnf), 3);
            } catch (InputException e) {
                assertThat(e).hasMessageStartingWith("grammar: ");
            }
        }
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void damagedSchemas() {
        SplittableRandom random = new SplittableRandom(2);
        List<JsonNode> nodes = new ArrayList<>();
        for (String schema : SchemaCases.SCHEMAS) {
            gather(JSON.readTree(schema), nodes);
        }
        int taken = 0;
        for (int round = 0; round < 500; round++) {
            JsonNode schema = JSON.readTree(SchemaCases.SCHEMAS.get(random.nextInt(SchemaCases.SCHEMAS.size())));
            for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
                List<JsonNode> parts = new ArrayList<>();
                gather(schema, parts);
                change(parts.get(random.nextInt(parts.size())), nodes, random);
            }
            try {
                use(Grammar.ofJsonSchema(schema), round);
                taken++;
            } catch (InputException e) {
                assertThat(e.getMessage()).startsWith("schema");
            }
        }
        assertThat(taken).isBetween(50, 450);
    }

    private static void gather(JsonNode node, List<JsonNode> all) {
        all.add(node);
        node.values().forEach(child -> gather(child, all));
    }

    /** Puts a part of some schema where a part of this one stood. */
    private static void change(JsonNode node, List<JsonNode> parts, SplittableRandom random) {
        JsonNode part = parts.get(random.nextInt(parts.size())).deepCopy();
        if (node instanceof ObjectNode object && !object.isEmpty()) {
            List<String> names = List.copyOf(object.propertyNames());
            object.set(names.get(random.nextInt(names.size())), part);
        } else if (node instanceof ArrayNode array && !array.isEmpty()) {
            array.set(random.nextInt(array.size()), part);
        }
    }

    /** Sizes that grow faster than the schema. */
    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void largeSchemas() {
        StringBuilder chain = new StringBuilder("{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
        for (int i = 0; i < 5_000; i++) {
            chain.append("\"d%d\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/d%d\"}},".formatted(i, i + 1));
        }
        chain.append("\"d5000\":{\"type\":\"null\"}}}");
        StringBuilder choices = new StringBuilder("{\"allOf\":[");
        for (int i = 0; i < 30; i++) {
            choices.append(i == 0 ? "" : ",")
                    .append("{\"anyOf\":[{\"properties\":{\"a%d\":{}}},".formatted(i))
                    .append("{\"properties\":{\"b%d\":{}}}]}".formatted(i));
        }
        choices.append("]}");
        StringBuilder words = new StringBuilder("{\"enum\":[");
        for (int i = 0; i < 20_000; i++) {
            words.append(i == 0 ? "" : ",").append("\"word ").append(i).append('"');
        }
        words.append("]}");
        String nested = "{\"items\":".repeat(400) + "{}" + "}".repeat(400);
        String pattern = "{\"allOf\":[{\"pattern\":\"^(a|b)*a(a|b){15}$\"},{\"pattern\":\"^(.{0,900}x){0,9}$\"}]}";
        String property = "\"p%\":{\"type\":\"string\",\"pattern\":\"^[a-z]{1,200}$\",\"maxLength\":90},";
        String optional = "{\"properties\":{" + numbered(property.repeat(60)) + "\"q\":{}}}";
        for (String schema : List.of(
                chain.toString(), choices.toString(), words.toString(), nested, pattern, optional)) {
            try {
                use(Grammar.ofJsonSchema(JSON.readTree(schema)), 4);
            } catch (InputException e) {
                assertThat(e.getMessage()).startsWith("schema");
            }
        }
    }

    private static String numbered(String text) {
        StringBuilder out = new StringBuilder();
        int number = 0;
        for (char c : text.toCharArray()) {
            out.append(c == '%' ? String.valueOf(number++) : String.valueOf(c));
        }
        return out.toString();
    }
}
