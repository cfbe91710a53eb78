package dev.tern.tools;

import dev.tern.tools.ToolSyntax.Form;
import dev.tern.tools.ToolSyntax.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads an answer as it comes, in pieces of any size, into content, reasoning and calls of tools. What might yet become
 * a mark, and white space that might yet stand before one, is held back; so is a call until its name is known and its
 * arguments begin. From then on arguments come as they are written. The same text in other pieces gives the same. No
 * text is lost but marks and the white space around them: what begins like a call and is none is content.
 *
 * <p>A call that breaks off within its arguments, or turns out to be no JSON there, has been told of by then. Its
 * deltas stand; what follows is content; and {@link #answer} has the whole text of it as content and not as a call.
 *
 * <p>Made by {@link ChatFormat#reader}. Not thread-safe.
 */
public final class AnswerReader {
    /** In which models wrap JSON that is the whole answer; the longer first. */
    private static final List<String> FENCES = List.of("```tool_call", "```json", "```");

    private enum State {
        START,
        REASONING,
        TEXT,
        SECTION,
        CALL,
        AFTER_OBJECT,
        AFTER_CALL
    }

    private final @Nullable ToolSyntax syntax;
    private final Set<String> toolNames;
    private final ReasoningMarks reasoning;
    private final AnswerLog log;
    private final List<String> literals;

    private final PendingText buffer = new PendingText();
    private State state;
    private boolean lead = true; // white space that comes next belongs to a mark before it
    private boolean bareAllowed;
    private boolean fenced;

    private @Nullable Form form;
    private final StringBuilder raw = new StringBuilder(); // of the call at hand
    private int rawMark; // how much of it is white space and mark
    private boolean inArray;
    private @Nullable CallScanner scanner;
    private boolean begun;

    /**
     * @param syntax of calls; null where no tools may be called
     * @param toolNames names that a call without a mark must have
     * @param ids of calls that the model gave none
     */
    AnswerReader(@Nullable ToolSyntax syntax, Set<String> toolNames, ReasoningMarks reasoning, Supplier<String> ids) {
        this.syntax = syntax;
        this.toolNames = toolNames;
        this.reasoning = reasoning;
        this.log = new AnswerLog(ids);
        this.state = reasoning.begun() ? State.REASONING : State.START;
        this.bareAllowed = syntax != null && syntax.forms().stream().anyMatch(f -> f.begin().isEmpty());
        this.literals = syntax == null
                ? List.of()
                : Stream.concat(syntax.forms().stream().map(Form::begin), Stream.of(syntax.sectionBegin()))
                        .filter(literal -> !literal.isEmpty())
                        .toList();
    }

    /** The next piece of the answer's text. */
    public List<AnswerDelta> accept(String piece) {
        buffer.append(piece);
        while (step(false)) {}
        return log.takeDeltas();
    }

    /** The answer ends here: what was held back. */
    public List<AnswerDelta> finish() {
        while (step(true)) {}
        return log.takeDeltas();
    }

    /** What has been read so far; after {@link #finish}, all of it. */
    public Answer answer() {
        return log.answer();
    }

    /** Goes on by one state; false when there is nothing to be done before more comes. */
    private boolean step(boolean last) {
        return switch (state) {
            case START -> start(last);
            case REASONING -> reasoning(last);
            case TEXT -> text(last);
            case SECTION -> section(last);
            case CALL -> call(last);
            case AFTER_OBJECT -> afterObject(last);
            case AFTER_CALL -> afterCall(last);
        };
    }

    private boolean start(boolean last) {
        int at = buffer.spaces(0);
        if (at == buffer.length() && !last) {
            return false;
        }
        if (buffer.mayCome(reasoning.open(), at, last)) {
            return false;
        }
        if (buffer.startsWith(reasoning.open(), at)) {
            if (!reasoning.separate()) {
                log.content(buffer.head(at) + reasoning.open());
            }
            buffer.drop(at + reasoning.open().length());
            state = State.REASONING;
            return true;
        }
        lead = false;
        state = State.TEXT;
        return true;
    }

    private boolean reasoning(boolean last) {
        if (reasoning.separate() && lead) {
            int at = buffer.spaces(0);
            if (buffer.mayCome(reasoning.open(), at, last)) {
                return false;
            }
            // A model whose prompt ends with the mark may write it once more.
            lead = buffer.startsWith(reasoning.open(), at);
            buffer.drop(lead ? at + reasoning.open().length() : at);
            if (lead) {
                return true;
            }
        }
        int end = buffer.indexOf(reasoning.close());
        int upTo = end >= 0 ? end : last ? buffer.length() : buffer.held(List.of(reasoning.close()));
        if (reasoning.separate()) {
            int told = end >= 0 || !last ? buffer.trimmed(upTo) : upTo;
            log.reasoning(buffer.head(told));
            buffer.drop(end >= 0 ? end + reasoning.close().length() : told);
        } else {
            int told = end >= 0 ? end + reasoning.close().length() : upTo;
            log.content(buffer.head(told));
            buffer.drop(told);
        }
        if (end < 0) {
            return false;
        }
        lead = reasoning.separate();
        state = State.TEXT;
        return true;
    }

    private boolean text(boolean last) {
        if (lead) {
            buffer.drop(buffer.spaces(0));
            lead = buffer.isEmpty();
        }
        if (buffer.isEmpty()) {
            return false;
        }
        if (syntax != null && bareAllowed) {
            int at = buffer.spaces(0);
            if (at == buffer.length() && !last) {
                return false;
            }
            for (String fence : FENCES) {
                if (buffer.mayCome(fence, at, last)) {
                    return false;
                }
                if (buffer.startsWith(fence, at)) {
                    at += fence.length();
                    fenced = true;
                    break;
                }
            }
            if (fenced || at < buffer.length() && (buffer.charAt(at) == '{' || buffer.charAt(at) == '[')) {
                begin(bareForm(syntax), at, at);
                return true;
            }
            bareAllowed = false;
        }
        int found = -1;
        String mark = "";
        for (String literal : literals) {
            int at = buffer.indexOf(literal);
            if (at >= 0 && (found < 0 || at < found || at == found && literal.length() > mark.length())) {
                found = at;
                mark = literal;
            }
        }
        if (found < 0) {
            int upTo = last || literals.isEmpty() ? buffer.length() : buffer.trimmed(buffer.held(literals));
            log.content(buffer.head(upTo));
            buffer.drop(upTo);
            return false;
        }
        int text = buffer.trimmed(found);
        log.content(buffer.head(text));
        buffer.drop(text);
        begin(formOf(mark), found - text + mark.length(), found - text + mark.length());
        return true;
    }

    private static Form bareForm(ToolSyntax syntax) {
        return syntax.forms().stream().filter(f -> f.begin().isEmpty()).findFirst().orElseThrow();
    }

    /** The form that this mark begins; null for a section. */
    private @Nullable Form formOf(String mark) {
        return syntax == null
                ? null
                : syntax.forms().stream().filter(f -> f.begin().equals(mark)).findFirst().orElse(null);
    }

    /** A call, or a section of calls, begins behind so many characters, which go to its raw text. */
    private void begin(@Nullable Form begunForm, int length, int mark) {
        form = begunForm;
        raw.setLength(0);
        moveToRaw(length);
        rawMark = mark;
        inArray = false;
        scanner = null;
        begun = false;
        state = begunForm == null ? State.SECTION : State.CALL;
    }

    private void moveToRaw(int length) {
        raw.append(buffer.take(length));
    }

    private boolean section(boolean last) {
        Form first = java.util.Objects.requireNonNull(syntax).forms().getFirst();
        int at = buffer.spaces(0);
        if (buffer.mayCome(first.begin(), at, last)) {
            return false;
        }
        if (!buffer.startsWith(first.begin(), at)) {
            failed();
            return true;
        }
        form = first;
        moveToRaw(at + first.begin().length());
        state = State.CALL;
        return true;
    }

    private boolean call(boolean last) {
        Form current = java.util.Objects.requireNonNull(form);
        int at = 0;
        while (at < buffer.length()) {
            char c = buffer.charAt(at);
            if (scanner == null) {
                if (PendingText.isSpace(c)) {
                    at++;
                    continue;
                }
                if (c == '[' && !inArray && current.shape() != Shape.NAMED) {
                    inArray = true;
                    at++;
                    continue;
                }
                scanner = new CallScanner(
                        name -> !current.begin().isEmpty() || toolNames.contains(name),
                        current.shape() == Shape.NAMED ? current.nameEnd() : null);
            }
            CallScanner.Progress progress = scanner.next(c);
            if (progress == CallScanner.Progress.FAILED) {
                moveToRaw(at);
                failed();
                return true;
            }
            at++;
            tell(scanner);
            if (progress == CallScanner.Progress.DONE) {
                log.callDone();
                buffer.drop(at);
                state = State.AFTER_OBJECT;
                return true;
            }
        }
        moveToRaw(at);
        if (last) {
            failed();
        }
        return last;
    }

    private void tell(CallScanner call) {
        if (!begun && call.isCertain()) {
            log.callBegins(call.id(), call.name());
            begun = true;
        }
        if (begun) {
            log.arguments(call.takeArguments());
        }
    }

    /** What began like a call is none. */
    private void failed() {
        state = State.TEXT;
        scanner = null;
        lead = false;
        fenced = false;
        if (begun) {
            log.callBroke(raw.toString());
            return;
        }
        if (form != null && form.begin().isEmpty()) {
            bareAllowed = false;
        }
        // The mark itself is content; what came behind it may hold another.
        log.content(raw.substring(0, rawMark));
        buffer.prepend(raw.substring(rawMark));
    }

    /** Behind a call's object: the end of an array, the next object, or the mark at the end. */
    private boolean afterObject(boolean last) {
        Form current = java.util.Objects.requireNonNull(form);
        int at = buffer.spaces(0);
        if (at == buffer.length() && !last) {
            return false;
        }
        char c = at < buffer.length() ? buffer.charAt(at) : 0;
        boolean sequence = !inArray && current.shape() != Shape.NAMED;
        if (inArray && c == ']') {
            buffer.drop(at + 1);
            inArray = false;
            state = State.AFTER_CALL;
            return true;
        }
        int next = c == ',' || c == ';' ? buffer.spaces(at + 1) : at;
        if (inArray && c == ',' || sequence && (next > at || c == '{')) {
            if (next == buffer.length() && !last) {
                return false;
            }
            if (next < buffer.length() && buffer.charAt(next) == '{') {
                boolean array = inArray;
                begin(current, next, 0);
                inArray = array;
                return true;
            }
        }
        state = State.AFTER_CALL;
        return true;
    }

    /** The marks at the end, each of which a model may leave out. */
    private boolean afterCall(boolean last) {
        Form current = java.util.Objects.requireNonNull(form);
        String sectionEnd = java.util.Objects.requireNonNull(syntax).sectionEnd();
        String end = fenced ? FENCES.getLast() : current.end().strip();
        int at = buffer.spaces(0);
        if (!end.isEmpty() && buffer.mayCome(end, at, last)) {
            return false;
        }
        if (!end.isEmpty() && buffer.startsWith(end, at)) {
            at = buffer.spaces(at + end.length());
        }
        if (!sectionEnd.isEmpty() && buffer.mayCome(sectionEnd, at, last)) {
            return false;
        }
        if (!sectionEnd.isEmpty() && buffer.startsWith(sectionEnd, at)) {
            at += sectionEnd.length();
        } else {
            while (at > 0 && PendingText.isSpace(buffer.charAt(at - 1))) {
                at--; // what stands before a next text is that text's
            }
        }
        buffer.drop(at);
        fenced = false;
        lead = !log.hasContent();
        state = State.TEXT;
        return true;
    }
}
