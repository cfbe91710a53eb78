package dev.tern.tools;

import java.util.List;
import java.util.stream.Stream;

/**
 * How models of one family write calls of tools.
 *
 * @param name what errors and {@code /props} call it
 * @param forms the first is what a grammar enforces; all are read
 * @param sectionBegin what may stand before the first call of a row; empty for nothing
 * @param sectionEnd what may stand behind the last
 */
public record ToolSyntax(String name, List<Form> forms, String sectionBegin, String sectionEnd) {

    /**
     * One way to write a call.
     *
     * @param begin the text that begins it; empty for JSON at the very beginning of an answer
     * @param shape of what follows
     * @param nameEnd what stands between the name and the arguments, in the shape {@link Shape#NAMED}
     * @param end what ends it; empty for nothing
     */
    public record Form(String begin, Shape shape, String nameEnd, String end) {}

    /** What a call looks like between its begin and its end. */
    public enum Shape {
        /** An object with {@code name} and {@code arguments} (or {@code parameters}), or an array of such objects. */
        OBJECT,
        /** The same; an array is what the model was taught. */
        ARRAY,
        /** The same, the arguments being called {@code parameters}. */
        PARAMETERS,
        /** The name, then the arguments as a JSON object. */
        NAMED
    }

    private static final Form TAGS = new Form("<tool_call>", Shape.OBJECT, "", "</tool_call>");
    private static final Form BARE = new Form("", Shape.OBJECT, "", "");

    /** Hermes 2 Pro and 3, Qwen 2.5 and 3: {@code <tool_call>{"name": …, "arguments": …}</tool_call>}. */
    public static final ToolSyntax HERMES = of("hermes", TAGS);

    /** Llama 3.1 and later: an object with {@code name} and {@code parameters} is the whole answer. */
    public static final ToolSyntax LLAMA3 = of(
            "llama3", new Form("", Shape.PARAMETERS, "", ""), new Form("<|python_tag|>", Shape.PARAMETERS, "", ""));

    /** Mistral 7B v0.3, Nemo, Small: {@code [TOOL_CALLS][{"name": …, "arguments": …, "id": …}]}. */
    public static final ToolSyntax MISTRAL = of("mistral", new Form("[TOOL_CALLS]", Shape.ARRAY, "", ""));

    /** Mistral from version 11 of its tokenizer on: {@code [TOOL_CALLS]name[ARGS]{…}}. */
    public static final ToolSyntax MISTRAL_NAMED =
            of("mistral-named", new Form("[TOOL_CALLS]", Shape.NAMED, "[ARGS]", ""));

    /** DeepSeek V3 and R1: the arguments stand in a block of JSON. */
    public static final ToolSyntax DEEPSEEK = new ToolSyntax(
            "deepseek",
            List.of(new Form(
                    "<｜tool▁call▁begin｜>function<｜tool▁sep｜>", Shape.NAMED, "\n```json\n", "\n```<｜tool▁call▁end｜>")),
            "<｜tool▁calls▁begin｜>",
            "<｜tool▁calls▁end｜>");

    /** DeepSeek V3.1: the arguments follow the name. */
    public static final ToolSyntax DEEPSEEK_V31 = new ToolSyntax(
            "deepseek-v3.1",
            List.of(new Form("<｜tool▁call▁begin｜>", Shape.NAMED, "<｜tool▁sep｜>", "<｜tool▁call▁end｜>")),
            "<｜tool▁calls▁begin｜>",
            "<｜tool▁calls▁end｜>");

    /** Functionary 3.1: {@code <function=name>{…}</function>}. */
    public static final ToolSyntax FUNCTIONARY =
            of("functionary", new Form("<function=", Shape.NAMED, ">", "</function>"));

    /** Phi 4 mini and Granite 3: {@code <|tool_call|>[{"name": …, "arguments": …}]}. */
    public static final ToolSyntax PHI = of("phi", new Form("<|tool_call|>", Shape.ARRAY, "", "<|/tool_call|>"));

    /**
     * For templates that know nothing of tools: the system's message describes them, and asks for calls as
     * {@link #HERMES} writes them. A bare object is understood as well, where it names a tool.
     */
    public static final ToolSyntax GENERIC = of("generic", TAGS, BARE);

    public ToolSyntax {
        forms = List.copyOf(forms);
    }

    private static ToolSyntax of(String name, Form... forms) {
        return new ToolSyntax(name, List.of(forms), "", "");
    }

    /**
     * The syntax that a template with tools teaches, by the marks in its source; {@link #GENERIC} where it has none.
     */
    static ToolSyntax of(String source) {
        if (source.contains("<tool_call>")) {
            return HERMES;
        }
        if (source.contains("[TOOL_CALLS]")) {
            return source.contains("[ARGS]") ? MISTRAL_NAMED : MISTRAL;
        }
        if (source.contains("<｜tool▁call▁begin｜>")) {
            return source.contains("```json") ? DEEPSEEK : DEEPSEEK_V31;
        }
        if (source.contains("<function=")) {
            return FUNCTIONARY;
        }
        if (source.contains("<|tool_call|>")) {
            return PHI;
        }
        boolean parameters = source.contains("ipython") && source.contains("\"parameters\": ");
        return source.contains("<|python_tag|>") || parameters ? LLAMA3 : GENERIC;
    }

    /** Texts that tell that a call has begun; none where a call is told by the answer's first character alone. */
    public List<String> triggers() {
        List<String> begins = forms.stream().map(Form::begin).filter(begin -> !begin.isEmpty()).toList();
        return sectionBegin.isEmpty() ? begins : List.of(sectionBegin);
    }

    /** Every literal of the syntax. Some may be special tokens, whose text must not be left out of the answer's. */
    public List<String> literals() {
        return Stream.concat(
                        Stream.of(sectionBegin, sectionEnd),
                        forms.stream().flatMap(form -> Stream.of(form.begin(), form.nameEnd(), form.end())))
                .filter(literal -> !literal.isBlank())
                .distinct()
                .toList();
    }
}
