package dev.tern.server.chat;

import dev.tern.grammar.Grammar;
import dev.tern.grammar.Part;
import dev.tern.io.InputException;
import dev.tern.sampling.TokenConstraint;
import dev.tern.server.completion.ResponseFormat;
import dev.tern.server.json.Json;
import dev.tern.server.served.Grammars;
import dev.tern.template.ChatRequest;
import dev.tern.tools.ToolCallRule;
import dev.tern.tools.ToolChoice;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.databind.node.ObjectNode;

/**
 * What an answer to a chat must follow: calls of tools where they are required, from their mark on where they are not;
 * the format that the request wants; or either of the two.
 */
final class ChatGrammar {
    private final ChatQuery query;
    private final ResponseFormat format;
    private final Optional<ToolCallRule> rule;

    ChatGrammar(ChatQuery query, ResponseFormat format) {
        this.query = query;
        this.format = format;
        this.rule = rule(query.choice());
    }

    private Optional<ToolCallRule> rule(ToolChoice choice) {
        return query.format().rule(query.request(), choice, query.prompt(), query.parallel());
    }

    Optional<Supplier<TokenConstraint>> constraint(Grammars grammars) {
        if (rule.isEmpty()) {
            String mark = endOfReasoning();
            if (mark.isEmpty() || format instanceof ResponseFormat.Free) {
                return format.constraint(grammars);
            }
            return format.part().map(part -> behind(grammars, part, List.of(mark)));
        }
        List<String> reasoning = rule.get().behind().isEmpty() ? List.of() : List.of(rule.get().behind());
        if (!(query.choice() instanceof ToolChoice.Auto)) {
            return Optional.of(behind(grammars, calls(rule.get()), reasoning));
        }
        Optional<Part> wanted = format.part();
        if (wanted.isPresent()) {
            Part calls = calls(rule(new ToolChoice.Required()).orElseThrow());
            return Optional.of(behind(grammars, new Part.OneOf(List.of(wanted.get(), calls)), reasoning));
        }
        if (!(format instanceof ResponseFormat.Free)) {
            return format.constraint(grammars);
        }
        // The text is free up to a mark with which calls begin; from there on they are well-formed.
        List<String> triggers = rule.get().triggers();
        return triggers.isEmpty() ? Optional.empty() : Optional.of(after(grammars, calls(rule.get()), triggers));
    }

    /** The mark behind which the answer begins, where the prompt ends within the model's reasoning; else empty. */
    private String endOfReasoning() {
        ObjectNode any = Json.object().put("type", "function");
        any.putObject("function").put("name", "any");
        ChatRequest with = query.request().withTools(List.of(any));
        return query.format()
                .rule(with, new ToolChoice.Required(), query.prompt(), false)
                .map(ToolCallRule::behind)
                .orElse("");
    }

    private Supplier<TokenConstraint> behind(Grammars grammars, Part part, List<String> marks) {
        if (marks.isEmpty()) {
            return grammars.constraint("part " + part, () -> Grammar.of(part));
        }
        Part blanks = new Part.OneOf(List.of(new Part.Text(""), new Part.Text("\n"), new Part.Text("\n\n")));
        return after(grammars, new Part.Sequence(List.of(blanks, part)), marks);
    }

    private static Supplier<TokenConstraint> after(Grammars grammars, Part part, List<String> marks) {
        return grammars.constraint(
                "after " + marks + part, () -> Grammar.of(part).after(marks.toArray(String[]::new)));
    }

    /**
     * The calls that a rule allows. Where a tool's schema cannot be held to, its arguments are any object, unless that
     * tool is to be strict.
     *
     * @throws InputException when a strict tool's schema cannot be held to
     */
    private Part calls(ToolCallRule rule) {
        List<Part> alternatives = new ArrayList<>();
        for (ToolCallRule.Alternative one : rule.alternatives()) {
            alternatives.add(new Part.Sequence(
                    List.of(new Part.Text(one.prefix()), new Part.Json(schema(one)), new Part.Text(one.suffix()))));
        }
        Part call = new Part.OneOf(alternatives);
        return new Part.Sequence(List.of(
                new Part.Text(rule.begin()),
                rule.repeats() ? new Part.Repeated(call, rule.separator()) : call,
                new Part.Text(rule.end())));
    }

    private ObjectNode schema(ToolCallRule.Alternative one) {
        ObjectNode whole = CallSchemas.rebased(one.schema());
        if (holds(whole)) {
            return whole;
        }
        ObjectNode loosened = CallSchemas.loosened(
                one.schema(),
                call -> isStrict(CallSchemas.name(call)) || holds(CallSchemas.rebased(call)),
                isStrict(named(one.prefix())));
        ObjectNode rebased = CallSchemas.rebased(loosened);
        Grammar.ofJsonSchema(rebased); // says which keyword of a strict tool's it is
        return rebased;
    }

    private static boolean holds(ObjectNode schema) {
        try {
            Grammar.ofJsonSchema(schema);
            return true;
        } catch (InputException e) {
            return false;
        }
    }

    /**
     * The tool whose name stands in front of its arguments: the longest name, where one begins with another; or none.
     */
    private String named(String prefix) {
        return query.request().tools().stream()
                .map(tool -> tool.path("function").path("name").asString(""))
                .filter(prefix::startsWith)
                .max(Comparator.comparingInt(String::length))
                .orElse("");
    }

    private boolean isStrict(String name) {
        return query.request().tools().stream()
                .map(tool -> tool.path("function"))
                .anyMatch(function -> function.path("name").asString("").equals(name)
                        && function.path("strict").asBoolean(false));
    }
}
