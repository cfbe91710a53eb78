package dev.tern.template;

import dev.tern.io.InputException;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat template: Jinja2 as transformers runs it ({@code trim_blocks}, {@code lstrip_blocks}, loop controls,
 * {@code {% generation %}}, {@code tojson} as plain JSON, {@code raise_exception}, {@code strftime_now}). Templates
 * come with models from anywhere, so they can reach nothing, and what they may take in time and memory is limited.
 * Immutable and thread-safe.
 *
 * <p>Not part of it, and refused when the template is parsed: inheritance, includes and imports, escaping by itself.
 */
public final class ChatTemplate {
    private final Source source;
    private final List<Statement> statements;
    private final Clock clock;

    private ChatTemplate(Source source, List<Statement> statements, Clock clock) {
        this.source = source;
        this.statements = statements;
        this.clock = clock;
    }

    /**
     * @throws InputException with line and column where the source is not what a template can be
     */
    public static ChatTemplate parse(String source) {
        Source lines = Source.of(source);
        return new ChatTemplate(lines, new StatementParser(lines).template(), Clock.systemDefaultZone());
    }

    /** The same template with another time of day for {@code strftime_now}. */
    public ChatTemplate withClock(Clock other) {
        return new ChatTemplate(source, statements, other);
    }

    /**
     * The conversation as the model was taught to read it, BOS and all, so encode it without adding special tokens.
     *
     * @param addGenerationPrompt ends with the beginning of the model's answer
     * @param variables what else the template may ask for: {@code bos_token}, {@code eos_token}, {@code tools}, …
     * @throws InputException when the template refuses the messages (a role it does not know), or cannot be computed
     */
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt, Map<String, ?> variables) {
        Map<String, @Nullable Object> all = new LinkedHashMap<>(variables);
        all.put("messages", messages);
        all.put("add_generation_prompt", addGenerationPrompt);
        return render(all);
    }

    /**
     * The conversation with its tools and documents, as {@code apply_chat_template} of transformers 5 renders it.
     *
     * @param specialTokens {@code bos_token}, {@code eos_token} and so on; the request's variables go before them
     * @throws InputException as {@link #render(List, boolean, Map)}, or when a message is to be continued that is not
     *     there, or that the template does not render as it is
     */
    public String render(ChatRequest request, Map<String, String> specialTokens) {
        Map<String, @Nullable Object> all = new LinkedHashMap<>(specialTokens);
        all.putAll(request.variables());
        if (!request.tools().isEmpty()) {
            all.put("tools", request.tools());
        }
        all.put("documents", request.documents().isEmpty() ? null : request.documents());
        all.put("add_generation_prompt", request.addGenerationPrompt());
        return request.continued()
                .map(field -> Continuation.of(request.messages(), field, source()).render(messages -> {
                    all.put("messages", messages);
                    return render(all);
                }))
                .orElseGet(() -> {
                    all.put("messages", request.messages());
                    return render(all);
                });
    }

    /**
     * Renders with these variables: strings, numbers, booleans, null, lists and maps of them, JSON, and messages.
     * {@code tools} and {@code documents} are none where not given, as in transformers.
     */
    public String render(Map<String, ?> variables) {
        Limits limits = new Limits();
        Evaluator evaluator = new Evaluator(limits);
        Scope globals = new Scope(null);
        Functions.define(globals, clock, limits);
        globals.set("tools", null);
        globals.set("documents", null);
        variables.forEach((name, value) -> globals.set(name, Values.ofJava(value)));
        try {
            return new Renderer(limits, evaluator).render(statements, new Scope(globals));
        } catch (TemplateError e) {
            throw source.error(evaluator.at()).problem(e.getMessage()).exception(e);
        } catch (StackOverflowError e) {
            throw source.error(evaluator.at()).problem("the template is nested too deeply").exception();
        }
    }

    /** The source, as it was given but for its line ends. */
    public String source() {
        return source.text();
    }
}
