package dev.tern.server;

import dev.tern.grammar.Grammar;
import dev.tern.grammar.Part;
import dev.tern.sampling.TokenConstraint;
import dev.tern.server.json.Json;
import dev.tern.template.ChatRequest;
import dev.tern.tools.ToolCallRule;
import dev.tern.tools.ToolChoice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What an answer to a chat must follow: calls of tools where they are required, from their mark on where they are not; the
 * format that the request wants; or either of the two.
 */
final class ChatGrammar {
    private final ChatQuery query;
    private final ResponseFormat format;
    private final Optional<ToolCallRule> rule;

    ChatGrammar(ChatQuery query, ResponseFormat format) {
        this.query = query;
        this.format = format;
        this.rule = query.format().rule(query.request(), query.choice(), query.prompt(), query.parallel());
    }

    Optional<Supplier<TokenConstraint>> constraint(Grammars grammars) {
        if (rule.isEmpty()) {
            String mark = endOfReasoning();
            if (mark.isEmpty() || format instanceof ResponseFormat.Free) {
                return format.constraint(grammars);
            }
            return format.part().map(part -> behind(grammars, part, List.of(mark)));
        }
        Part calls = calls(rule.get());
        boolean mustCall = !(query.choice() instanceof ToolChoice.Auto);
        List<String> reasoning = rule.get().behind().isEmpty() ? List.of() : List.of(rule.get().behind());
        if (mustCall) {
            return Optional.of(behind(grammars, calls, reasoning));
        }
        Optional<Part> wanted = format.part();
        if (wanted.isPresent()) {
            return Optional.of(behind(grammars, new Part.OneOf(List.of(wanted.get(), calls)), reasoning));
        }
        return format instanceof ResponseFormat.Free ? fromMark(grammars) : format.constraint(grammars);
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
        String key = "part " + marks + part;
        if (marks.isEmpty()) {
            return grammars.constraint(key, () -> Grammar.of(part));
        }
        Part blanks = new Part.OneOf(List.of(new Part.Text(""), new Part.Text("\n"), new Part.Text("\n\n")));
        return grammars.constraint(
                key,
                () -> Grammar.of(new Part.Sequence(List.of(blanks, part))).after(marks.toArray(String[]::new)));
    }

    /** The text is free up to a mark with which calls begin; from there on they are well-formed. */
    private Optional<Supplier<TokenConstraint>> fromMark(Grammars grammars) {
        ToolCallRule calls = rule.orElseThrow();
        for (String trigger : calls.triggers()) {
            boolean opensAll = calls.begin().startsWith(trigger)
                    || (calls.begin().isEmpty()
                            && calls.alternatives().stream().allMatch(one -> one.prefix().startsWith(trigger)));
            if (opensAll) {
                Part rest = calls(without(calls, trigger));
                return Optional.of(grammars.constraint(
                        "lazy " + trigger + rest, () -> Grammar.of(rest).after(trigger)));
            }
        }
        return Optional.empty();
    }

    /** The rule behind a text that it begins with; the calls after the first begin with it still. */
    private static ToolCallRule without(ToolCallRule rule, String trigger) {
        if (!rule.begin().isEmpty()) {
            return new ToolCallRule(
                    rule.lazy(),
                    rule.triggers(),
                    rule.behind(),
                    rule.begin().substring(trigger.length()),
                    rule.alternatives(),
                    rule.repeats(),
                    rule.separator(),
                    rule.end());
        }
        List<ToolCallRule.Alternative> alternatives = rule.alternatives().stream()
                .map(one -> new ToolCallRule.Alternative(
                        one.prefix().substring(trigger.length()), one.schema(), one.suffix()))
                .toList();
        return new ToolCallRule(
                rule.lazy(),
                rule.triggers(),
                rule.behind(),
                "",
                alternatives,
                rule.repeats(),
                rule.separator() + trigger,
                rule.end());
    }

    private static Part calls(ToolCallRule rule) {
        List<Part> alternatives = new ArrayList<>();
        for (ToolCallRule.Alternative one : rule.alternatives()) {
            alternatives.add(new Part.Sequence(List.of(
                    new Part.Text(one.prefix()), new Part.Json(rebased(one.schema())), new Part.Text(one.suffix()))));
        }
        Part call = new Part.OneOf(alternatives);
        return new Part.Sequence(List.of(
                new Part.Text(rule.begin()),
                rule.repeats() ? new Part.Repeated(call, rule.separator()) : call,
                new Part.Text(rule.end())));
    }

    /**
     * References in a tool's schema are into that schema, which stands within the schema of the call: they are made to
     * lead there.
     */
    private static JsonNode rebased(ObjectNode schema) {
        ObjectNode copy = schema.deepCopy();
        JsonNode items = copy.path("items");
        if (items.path("anyOf").isArray()) {
            for (int i = 0; i < items.path("anyOf").size(); i++) {
                rebaseCall(items.path("anyOf").path(i), "#/items/anyOf/" + i);
            }
        } else if (items.isObject()) {
            rebaseCall(items, "#/items");
        } else {
            rebaseCall(copy, "#");
        }
        return copy;
    }

    /** @param call an object with {@code name} and {@code arguments}; else the arguments themselves, which need nothing */
    private static void rebaseCall(JsonNode call, String at) {
        JsonNode properties = call.path("properties");
        if (!properties.path("name").has("const")) {
            return;
        }
        for (String name : List.of("arguments", "parameters")) {
            if (properties.path(name).isObject()) {
                rebase(properties.path(name), at + "/properties/" + name);
            }
        }
    }

    private static void rebase(JsonNode node, String at) {
        if (node instanceof ObjectNode object && object.path("$ref").isString()) {
            String reference = object.path("$ref").stringValue();
            if (reference.startsWith("#")) {
                object.put("$ref", at + reference.substring(1));
            }
        }
        node.forEach(child -> rebase(child, at));
    }
}
