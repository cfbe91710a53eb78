package dev.tern.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A number, or a range of numbers in llama-bench's spelling: {@code 1-4}, {@code 0-4096+1024}, {@code 128-2048*2}.
 *
 * @param values at least one
 */
record Counts(List<Integer> values) {
    private static final Pattern SPELLING = Pattern.compile("(-?\\d{1,9})(?:-(\\d{1,9})(?:([+*])(\\d{1,9}))?)?");
    private static final int MOST = 10_000; // a slip, surely, and not so many tests

    /** All numbers of a list of them, in its order. */
    static List<Integer> all(List<Counts> list) {
        return list.stream().flatMap(counts -> counts.values().stream()).toList();
    }

    static final class Converter implements ITypeConverter<Counts> {
        @Override
        public Counts convert(String value) {
            Matcher matcher = SPELLING.matcher(value.strip());
            if (!matcher.matches()) {
                throw new TypeConversionException(
                        "expected a number or a range such as 1-4, 0-4096+1024 or 128-2048*2, found '" + value + "'");
            }
            int first = Integer.parseInt(matcher.group(1));
            if (matcher.group(2) == null) {
                return new Counts(List.of(first));
            }
            int last = Integer.parseInt(matcher.group(2));
            boolean times = "*".equals(matcher.group(3));
            int step = matcher.group(4) == null ? 1 : Integer.parseInt(matcher.group(4));
            List<Integer> values = new ArrayList<>();
            for (long at = first; at <= last && values.size() <= MOST; at = times ? at * step : at + step) {
                values.add((int) at);
                if (times ? at * step <= at : step == 0) {
                    throw new TypeConversionException("the range '" + value + "' does not end");
                }
            }
            if (values.isEmpty() || values.size() > MOST) {
                throw new TypeConversionException("the range '" + value + "' has "
                        + (values.isEmpty() ? "no numbers" : "more than " + MOST + " numbers"));
            }
            return new Counts(values);
        }
    }
}
