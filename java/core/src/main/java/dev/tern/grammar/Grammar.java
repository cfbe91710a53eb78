package dev.tern.grammar;

import dev.tern.io.InputException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Rules that a text follows. Compiling takes milliseconds, and what is found out about a vocabulary is kept with the
 * grammar, so requests with the same rules should share one. Memory is bounded, whatever the rules: beside the compiled
 * rules some 60 MB, of which most need little, and up to 250 MB from a token that is hard to follow to the next one.
 * Thread-safe.
 *
 * <p>Calls of rules may be open in each other 256 deep, which bounds how deep a JSON text is nested; a text is only
 * continued where it can be brought to an end within that.
 */
public final class Grammar {
    private static final int MOST_TRIGGER_BYTES = 4096;

    private final RuleSet rules;
    private final int root;
    private final Automaton automaton;
    private @Nullable TokenMasks masks;

    private Grammar(RuleSet rules, int root, List<String> triggers, boolean everyRuleEnds) {
        this.rules = rules;
        this.root = root;
        AutomatonBuilder builder = new AutomatonBuilder(rules);
        int free = 0;
        if (triggers.isEmpty()) {
            builder.build(root);
        } else {
            free = new FreeText(triggers).addTo(builder.graph, () -> builder.build(root));
        }
        automaton = builder.graph.automaton(free);
        RuleChecks checks = new RuleChecks(builder.graph, automaton, rules.origin());
        checks.refuseLeftRecursion();
        if (everyRuleEnds) {
            checks.refuseEndlessRules();
        } else if (checks.endless(0)) {
            throw InputException.at(rules.origin())
                    .problem("no value satisfies it")
                    .cure("Look for types, bounds, required properties or references that exclude each other.")
                    .exception();
        }
    }

    /**
     * A grammar in GBNF, llama.cpp's format; a text is what the rule {@code root} says.
     *
     * @throws InputException with line and column where the text is not GBNF, or naming the rule: one that is missing,
     *     begins with itself, or never ends; also when it is too large
     */
    public static Grammar parse(String gbnf) {
        return new Grammar(Gbnf.read(gbnf), 0, List.of(), true);
    }

    /** Any JSON object, nested as deep as calls may be: OpenAI's JSON mode. */
    public static Grammar json() {
        RuleSet rules = new RuleSet("JSON");
        return new Grammar(rules, new JsonText(rules).object().rule(), List.of(), true);
    }

    /**
     * JSON that satisfies a JSON Schema of draft 4 to 2020-12. Every text of the grammar is valid JSON and valid by the
     * schema; not everything that is valid is a text of it:
     *
     * <ul>
     *   <li>properties come in the order of the schema, and where {@code properties} is said and
     *       {@code additionalProperties} is not, there are no others;
     *   <li>without {@code type}, values are of the types that the other keywords are about;
     *   <li>tuples are written whole;
     *   <li>numbers have up to 15 digits in front of the point; strings with {@code maxLength} and arrays with
     *       {@code maxItems} end at 16,384.
     * </ul>
     *
     * <p>Of the keywords, {@code not}, {@code if}, {@code contains}, {@code uniqueItems}, {@code propertyNames},
     * {@code dependent…}, {@code unevaluated…}, references to elsewhere and some formats are refused; {@code oneOf} is,
     * unless its alternatives can be told apart. Words that are no keywords, and formats that the specification does
     * not name, mean nothing.
     *
     * @throws InputException naming the keyword and its place as a JSON pointer; when no value can satisfy the schema;
     * or
     *     when the grammar would be too large
     */
    public static Grammar ofJsonSchema(JsonNode schema) {
        JsonSchemaRules.Rooted rooted = JsonSchemaRules.read(schema);
        return new Grammar(rooted.rules(), rooted.root(), List.of(), false);
    }

    /**
     * Literals and JSON, put together.
     *
     * @throws InputException as {@link #ofJsonSchema}
     */
    public static Grammar of(Part part) {
        RuleSet rules = new RuleSet("schema");
        int root = rules.add("root", expression(part, rules)).rule();
        return new Grammar(rules, root, List.of(), false);
    }

    private static Expression expression(Part part, RuleSet rules) {
        return switch (part) {
            case Part.Text text -> new Expression.Literal(text.text());
            case Part.Json json -> JsonSchemaRules.addTo(rules, json.schema());
            case Part.Sequence sequence ->
                new Expression.Sequence(
                        sequence.parts().stream().map(one -> expression(one, rules)).toList());
            case Part.OneOf choice ->
                new Expression.Choice(
                        choice.alternatives().stream().map(one -> expression(one, rules)).toList());
            case Part.Repeated repeated -> {
                Expression one = rules.add("repeated", expression(repeated.part(), rules));
                Expression more = Expression.sequence(new Expression.Literal(repeated.separator()), one);
                yield Expression.sequence(one, Expression.anyNumber(more));
            }
        };
    }

    /**
     * The same rules, once one of the triggers stands in the text: before, anything may come and the text may end
     * anywhere, with special tokens allowed, which count as the text that they spell. Behind a trigger the rules hold,
     * to the end.
     *
     * @throws InputException when there is no trigger, an empty one, or more than 4096 bytes of them
     */
    public Grammar after(String... triggers) {
        int bytes = 0;
        for (String trigger : triggers) {
            int length = trigger.getBytes(StandardCharsets.UTF_8).length;
            bytes = length == 0
                    ? MOST_TRIGGER_BYTES + 1
                    : (int) Math.min(MOST_TRIGGER_BYTES + 1, (long) bytes + length);
        }
        if (bytes == 0 || bytes > MOST_TRIGGER_BYTES) {
            throw InputException.at("triggers of a grammar")
                    .expected("1 to " + MOST_TRIGGER_BYTES + " bytes, and no empty one")
                    .found(List.of(triggers))
                    .exception();
        }
        return new Grammar(rules, root, List.of(triggers), false);
    }

    /** The start of a text in tokens of a vocabulary. What was found out about the last vocabulary is kept. */
    public synchronized GrammarConstraint constrain(VocabularyTrie trie) {
        TokenMasks found = masks;
        if (found == null || found.trie != trie) {
            found = new TokenMasks(automaton, trie);
            masks = found;
        }
        return new GrammarConstraint(found);
    }

    /** Whether a text follows the rules as a whole. */
    public boolean matches(String text) {
        Configurations configurations = new Configurations(automaton);
        Configuration at = configurations.begin();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (configurations.full()) {
                configurations = new Configurations(automaton);
                at = configurations.adopt(at);
            }
            configurations.allow(WorkBudget.MOST);
            at = configurations.next(at, b & 0xFF);
        }
        return at.complete;
    }
}
