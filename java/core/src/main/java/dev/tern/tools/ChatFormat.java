package dev.tern.tools;

import dev.tern.io.InputException;
import dev.tern.template.ChatMessage;
import dev.tern.template.ChatRequest;
import dev.tern.template.ChatTemplate;
import dev.tern.template.TemplateCapabilities;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * How a model's chats are written and its answers read: its template, what that can render, and the syntax of calls
 * that it teaches. Immutable, thread-safe.
 */
public final class ChatFormat {
    private static final String ID_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static final int ID_LENGTH = 9;

    private final ChatTemplate template;
    private final Map<String, String> specialTokens;
    private final AtomicReference<@Nullable Known> known = new AtomicReference<>();

    /** What renderings have told of the template. */
    private record Known(TemplateCapabilities capabilities, ToolSyntax syntax, TemplateFit fit) {
        static Known of(ChatTemplate template, Map<String, String> specialTokens) {
            TemplateCapabilities can = TemplateCapabilities.of(template, specialTokens);
            ToolSyntax syntax = can.nativeTools() ? ToolSyntax.of(template.source()) : ToolSyntax.GENERIC;
            // Tools of a template whose syntax of calls nobody here can read are described in words as well.
            return new Known(can, syntax, new TemplateFit(can, syntax != ToolSyntax.GENERIC, template.source()));
        }
    }

    private ChatFormat(ChatTemplate template, Map<String, String> specialTokens) {
        this.template = template;
        this.specialTokens = Map.copyOf(specialTokens);
    }

    /**
     * Of this template. What it can is found out when that first matters, by some twenty short renderings.
     *
     * @param specialTokens {@code bos_token}, {@code eos_token} and so on, as the vocabulary spells them
     */
    public static ChatFormat of(ChatTemplate template, Map<String, String> specialTokens) {
        return new ChatFormat(template, specialTokens);
    }

    private Known known() {
        Known found = known.get();
        if (found == null) {
            found = Known.of(template, specialTokens); // the same, whoever is first
            known.set(found);
        }
        return found;
    }

    /** The function's name in a tool's description, or in a call. */
    static String name(JsonNode tool) {
        return tool.path("function").path("name").asString("");
    }

    /** The template alone; it renders what transformers renders. */
    public ChatTemplate template() {
        return template;
    }

    /** What the template can render. */
    public TemplateCapabilities capabilities() {
        return known().capabilities();
    }

    /** How calls are written. */
    public ToolSyntax syntax() {
        return known().syntax();
    }

    /**
     * Literals that tell content, reasoning and calls apart. Where such a one is a special token, or is put together
     * from some, these tokens have to appear in the answer's text.
     */
    public Set<String> marks() {
        ReasoningMarks reasoning = ReasoningMarks.of(template.source(), "", true);
        return Stream.concat(syntax().literals().stream(), Stream.of(reasoning.open(), reasoning.close()))
                .collect(Collectors.toUnmodifiableSet());
    }

    /**
     * The conversation as the model was taught to read it. What the template would pass over or refuse is said in
     * another way: tools in the system's message, that message at the beginning of the user's, what tools answered as
     * the user's, several calls in one message as one each, parts of text as one text, arguments as an object or as a
     * string.
     *
     * @throws InputException when the template refuses the conversation even so
     */
    public String prompt(ChatRequest request) {
        if (request.tools().isEmpty() && request.messages().stream().allMatch(ChatFormat::isPlain)) {
            try {
                String prompt = template.render(request, specialTokens);
                if (saysAll(prompt, request.messages())) {
                    return prompt; // nothing is passed over, and nothing has to be known of the template
                }
            } catch (InputException e) {
                // It may take the same in another form; if not, it says so again.
            }
        }
        return template.render(known().fit().fit(request), specialTokens);
    }

    /** Whether the texts of all messages stand in the prompt, one behind the other. */
    private static boolean saysAll(String prompt, List<ChatMessage> messages) {
        int from = 0;
        for (ChatMessage message : messages) {
            String text = message.content().strip();
            int at = prompt.indexOf(text, from);
            if (at < 0) {
                return false;
            }
            from = at + text.length();
        }
        return true;
    }

    /** Whether it is a role and a text, of the roles that every template knows: what others say may stand elsewhere. */
    private static boolean isPlain(ChatMessage message) {
        ObjectNode json = message.json();
        return json.size() == 2
                && json.path("content").isString()
                && Set.of("user", "assistant").contains(message.role());
    }

    /** As {@link #prompt(ChatRequest)}; the model is told of no tools when none may be called. */
    public String prompt(ChatRequest request, ToolChoice choice) {
        return prompt(choice instanceof ToolChoice.None ? request.withTools(List.of()) : request);
    }

    /**
     * A reader for the answer to a request.
     *
     * @param prompt as {@link #prompt} gave it: where it ends within the model's reasoning, the answer begins there
     * @param separateReasoning whether reasoning is told apart from content; if not, it is content, marks and all
     */
    public AnswerReader reader(ChatRequest request, ToolChoice choice, String prompt, boolean separateReasoning) {
        return reader(request, choice, prompt, separateReasoning, ChatFormat::randomId);
    }

    /** As the other, with ids of calls from here: nine letters and digits suit every template. */
    public AnswerReader reader(
            ChatRequest request, ToolChoice choice, String prompt, boolean separateReasoning, Supplier<String> ids) {
        boolean calls = !request.tools().isEmpty() && !(choice instanceof ToolChoice.None);
        Set<String> names = request.tools().stream().map(ChatFormat::name).collect(Collectors.toSet());
        return new AnswerReader(
                calls ? syntax() : null, names, ReasoningMarks.of(template.source(), prompt, separateReasoning), ids);
    }

    /**
     * What an answer with calls looks like, for a grammar to enforce; empty when there are no tools to call. With
     * {@link ToolChoice.Auto} it holds from a trigger on.
     *
     * @param parallel whether more than one call may be made
     */
    public Optional<ToolCallRule> rule(ChatRequest request, ToolChoice choice, String prompt, boolean parallel) {
        List<ObjectNode> tools = switch (choice) {
            case ToolChoice.None none -> List.of();
            case ToolChoice.Named named ->
                request.tools().stream().filter(tool -> name(tool).equals(named.name())).toList();
            case ToolChoice.Auto auto -> request.tools();
            case ToolChoice.Required required -> request.tools();
        };
        ReasoningMarks marks = ReasoningMarks.of(template.source(), prompt, true);
        return tools.isEmpty()
                ? Optional.empty()
                : Optional.of(ToolCallRule.of(
                        syntax(),
                        tools,
                        choice instanceof ToolChoice.Auto,
                        parallel,
                        marks.begun() ? marks.close() : ""));
    }

    private static String randomId() {
        StringBuilder id = new StringBuilder(ID_LENGTH);
        ThreadLocalRandom.current().ints(ID_LENGTH, 0, ID_DIGITS.length()).forEach(i -> id.append(ID_DIGITS.charAt(i)));
        return id.toString();
    }
}
