package dev.tern.measure.rivals;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text with places to be filled in: {@code ${NAME}} is an environment variable, <code>{name}</code> something of the
 * run, and <code>{prompt+16}</code> a sum of its numbers. <code>{{</code> is a brace. Checked when it is made.
 */
final class Template {
    private static final Pattern PLACE =
            Pattern.compile("\\{\\{|}}|\\$\\{(?<variable>[^{}]*)}|\\{(?<name>[^{}]*)}|(?<stray>[{}])");
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    private static final Pattern NUMBERS = Pattern.compile("(?:threads|prompt|generated|[0-9]{1,6})"
            + "(?:\\+(?:threads|prompt|generated|[0-9]{1,6}))*");
    private static final Pattern NAME = Pattern.compile("model|words|processors|here|file:[a-z0-9_]+");

    private static final Set<String> RUN = Set.of("model", "words", "processors");

    /** What may stand in braces, for messages. */
    static final String PLACES = "{threads}, {prompt}, {generated}, sums such as {prompt+16}, {words}, {model},"
            + " {file:OUTTYPE}, {processors}, {here}, ${VARIABLE}; {{ and }} for braces themselves";

    private final String text;

    private Template(String text) {
        this.text = text;
    }

    /** What fills the places. */
    interface Values {
        /** The value of an environment variable. */
        String variable(String name) throws RivalFailure;

        /** The number that {@code threads}, {@code prompt} or {@code generated} stands for. */
        int number(String name);

        /** What any other name stands for. */
        String text(String name) throws RivalFailure;
    }

    /** @throws IllegalArgumentException with what is wrong, where a place is none of those that there are */
    static Template of(String text) {
        for (Matcher place = PLACE.matcher(text); place.find(); ) {
            String variable = place.group("variable");
            String name = place.group("name");
            boolean known = variable != null
                    ? VARIABLE.matcher(variable).matches()
                    : name != null
                            ? NUMBERS.matcher(name).matches() || NAME.matcher(name).matches()
                            : place.group("stray") == null;
            if (!known) {
                throw new IllegalArgumentException(place.group());
            }
        }
        return new Template(text);
    }

    /** A text without places, whatever stands in it. */
    static Template literal(String text) {
        return new Template(text.replace("{", "{{").replace("}", "}}"));
    }

    /** Whether it needs the run: its numbers, its prompt, its model. */
    boolean ofRun() {
        return PLACE.matcher(text).results().map(place -> place.group("name")).anyMatch(name -> name != null
                && (NUMBERS.matcher(name).matches() || RUN.contains(name)));
    }

    boolean has(String name) {
        return PLACE.matcher(text).results().anyMatch(place -> name.equals(place.group("name")));
    }

    static List<String> fill(List<Template> templates, Values values) throws RivalFailure {
        List<String> filled = new ArrayList<>();
        for (Template template : templates) {
            filled.add(template.fill(values));
        }
        return filled;
    }

    String fill(Values values) throws RivalFailure {
        StringBuilder out = new StringBuilder();
        int done = 0;
        for (Matcher place = PLACE.matcher(text); place.find(); done = place.end()) {
            out.append(text, done, place.start());
            String variable = place.group("variable");
            String name = place.group("name");
            if (variable != null) {
                out.append(values.variable(variable));
            } else if (name == null) {
                out.append(place.group().charAt(0));
            } else if (NUMBERS.matcher(name).matches()) {
                out.append(sum(name, values::number));
            } else {
                out.append(values.text(name));
            }
        }
        return out.append(text, done, text.length()).toString();
    }

    private static long sum(String terms, Function<String, Integer> number) {
        long sum = 0;
        for (String term : terms.split("\\+")) {
            sum += Character.isDigit(term.charAt(0)) ? Integer.parseInt(term) : number.apply(term);
        }
        return sum;
    }

    @Override
    public String toString() {
        return text;
    }
}
