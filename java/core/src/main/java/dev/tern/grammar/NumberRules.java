package dev.tern.grammar;

import static dev.tern.grammar.Expression.choice;
import static dev.tern.grammar.Expression.optional;
import static dev.tern.grammar.Expression.sequence;

import dev.tern.grammar.Expression.Characters;
import dev.tern.grammar.Expression.Choice;
import dev.tern.grammar.Expression.Literal;
import dev.tern.grammar.Expression.Repeat;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/**
 * Decimal texts of the numbers within bounds. Without a bound, numbers go as far as 10^15, and with up to 15 digits in
 * all where the bounds have no more, so that a reader of doubles sees each of them on the right side of its bounds.
 * Zero has no sign, and whole numbers no leading zeros.
 */
final class NumberRules {
    static final int MOST_DIGITS = 15;

    /** Whole numbers without a bound end here. */
    static final BigInteger LARGEST = BigInteger.TEN.pow(MOST_DIGITS).subtract(BigInteger.ONE);

    private static final Expression DIGIT = new Characters(JsonText.DIGIT);
    private static final Expression NONZERO = new Characters(CodePoints.of('1', '9'));

    private NumberRules() {}

    /** The whole numbers {@code low} to {@code high}, both included. */
    static Expression whole(BigInteger low, BigInteger high) {
        List<Expression> alternatives = new ArrayList<>();
        if (low.signum() < 0) {
            BigInteger nearest = high.signum() < 0 ? high.negate() : BigInteger.ONE;
            alternatives.add(sequence(new Literal("-"), natural(nearest, low.negate())));
        }
        if (high.signum() >= 0) {
            alternatives.add(natural(low.max(BigInteger.ZERO), high));
        }
        return new Choice(alternatives);
    }

    /** As {@link #whole}, from 0 on: for each number of digits those between two of that length. */
    private static Expression natural(BigInteger low, BigInteger high) {
        List<Expression> alternatives = new ArrayList<>();
        int longest = low.compareTo(high) > 0 ? 0 : high.toString().length();
        for (int digits = low.toString().length(); digits <= longest; digits++) {
            BigInteger first = digits == 1 ? BigInteger.ZERO : BigInteger.TEN.pow(digits - 1);
            BigInteger last = BigInteger.TEN.pow(digits).subtract(BigInteger.ONE);
            alternatives.add(between(first.max(low).toString(), last.min(high).toString()));
        }
        return new Choice(alternatives);
    }

    /** The strings of digits between two of the same length. */
    private static Expression between(String low, String high) {
        if (low.isEmpty()) {
            return Expression.EMPTY;
        }
        char a = low.charAt(0);
        char b = high.charAt(0);
        String lowRest = low.substring(1);
        String highRest = high.substring(1);
        if (a == b) {
            return sequence(digit(a, a), between(lowRest, highRest));
        }
        String nines = "9".repeat(lowRest.length());
        String zeros = "0".repeat(lowRest.length());
        int from = lowRest.equals(zeros) ? a : a + 1;
        int to = highRest.equals(nines) ? b : b - 1;
        List<Expression> alternatives = new ArrayList<>();
        if (from > a) {
            alternatives.add(sequence(digit(a, a), between(lowRest, nines)));
        }
        if (from <= to) {
            alternatives.add(sequence(digit(from, to), digits(lowRest.length(), lowRest.length())));
        }
        if (to < b) {
            alternatives.add(sequence(digit(b, b), between(zeros, highRest)));
        }
        return new Choice(alternatives);
    }

    private static Expression digit(int from, int to) {
        return new Characters(CodePoints.of(from, to));
    }

    private static Expression digits(int min, int max) {
        return new Repeat(DIGIT, min, max);
    }

    /**
     * Decimal fractions between two bounds.
     *
     * @param bounds both set, the lower at most the upper, neither beyond {@link #LARGEST}
     */
    static Expression decimal(NumberBounds bounds) {
        BigDecimal low = bounds.low();
        BigDecimal high = bounds.high();
        List<Expression> alternatives = new ArrayList<>();
        if (low.signum() < 0) {
            boolean reachesZero = high.signum() >= 0;
            alternatives.add(sequence(
                    new Literal("-"),
                    magnitude(
                            reachesZero ? BigDecimal.ZERO : high.negate(),
                            reachesZero || bounds.highExcluded(),
                            low.negate(),
                            bounds.lowExcluded())));
        }
        if (high.signum() >= 0) {
            boolean fromZero = low.signum() < 0;
            alternatives.add(magnitude(
                    fromZero ? BigDecimal.ZERO : low, !fromZero && bounds.lowExcluded(), high, bounds.highExcluded()));
        }
        return new Choice(alternatives);
    }

    private static Expression magnitude(BigDecimal low, boolean lowExcluded, BigDecimal high, boolean highExcluded) {
        BigInteger first = low.setScale(0, RoundingMode.DOWN).unscaledValue();
        BigInteger last = high.setScale(0, RoundingMode.DOWN).unscaledValue();
        int places = Math.max(low.scale(), high.scale());
        Fractions nearLow = Fractions.behind(first.toString().length(), places);
        Fractions nearHigh = Fractions.behind(last.toString().length(), places);
        String from = fraction(low);
        String to = fraction(high);
        if (first.equals(last)) {
            return sequence(
                    new Literal(first.toString()),
                    nearLow.dotted(
                            nearLow.between(from, lowExcluded, to, highExcluded, nearLow.precision()),
                            from.isEmpty() && !lowExcluded && !(to.isEmpty() && highExcluded)));
        }
        List<Expression> alternatives = new ArrayList<>();
        alternatives.add(sequence(
                new Literal(first.toString()),
                nearLow.dotted(
                        nearLow.atLeast(from, lowExcluded, nearLow.precision()), from.isEmpty() && !lowExcluded)));
        BigInteger least = first.add(BigInteger.ONE);
        BigInteger most = last.subtract(BigInteger.ONE);
        for (int digits = least.toString().length(); digits <= most.toString().length(); digits++) {
            BigInteger begin = BigInteger.TEN.pow(digits - 1).max(least);
            BigInteger end = BigInteger.TEN.pow(digits).subtract(BigInteger.ONE).min(most);
            if (begin.compareTo(end) <= 0) {
                Fractions fractions = Fractions.behind(digits, places);
                alternatives.add(sequence(
                        between(begin.toString(), end.toString()),
                        fractions.dotted(fractions.any(fractions.precision()), true)));
            }
        }
        alternatives.add(sequence(
                new Literal(last.toString()),
                nearHigh.dotted(
                        nearHigh.atMost(to, highExcluded, nearHigh.precision()), !(to.isEmpty() && highExcluded))));
        return new Choice(alternatives);
    }

    /** The digits behind the point, without zeros at their end. */
    private static String fraction(BigDecimal value) {
        String text = value.toPlainString();
        int point = text.indexOf('.');
        return point < 0 ? "" : text.substring(point + 1).replaceAll("0+$", "");
    }

    /**
     * Digits behind a decimal point, one at least, compared as fractions with the digits of a bound. Nothing more than
     * so many are written.
     */
    private record Fractions(int precision) {
        /** As many digits as a double has, behind so many, or as the bounds have. */
        static Fractions behind(int digits, int places) {
            return new Fractions(Math.max(Math.max(MOST_DIGITS - digits, places), 0));
        }

        Expression dotted(Expression digits, boolean noneAsWell) {
            Expression dotted = precision == 0 ? Expression.NOTHING : sequence(new Literal("."), digits);
            return noneAsWell ? optional(dotted) : dotted;
        }

        Expression any(int most) {
            return most == 0 ? Expression.NOTHING : digits(1, most);
        }

        Expression atLeast(String bound, boolean excluded, int most) {
            if (most == 0) {
                return Expression.NOTHING;
            }
            if (bound.isEmpty()) {
                return excluded
                        ? choice(
                                sequence(NONZERO, digits(0, most - 1)),
                                sequence(new Literal("0"), atLeast(bound, true, most - 1)))
                        : any(most);
            }
            char d = bound.charAt(0);
            String rest = bound.substring(1);
            Expression equal = sequence(
                    new Literal(String.valueOf(d)),
                    tail(atLeast(rest, excluded, most - 1), rest.isEmpty() && !excluded));
            return d == '9' ? equal : choice(sequence(digit(d + 1, '9'), digits(0, most - 1)), equal);
        }

        Expression atMost(String bound, boolean excluded, int most) {
            if (most == 0 || bound.isEmpty() && excluded) {
                return Expression.NOTHING;
            }
            if (bound.isEmpty()) {
                return new Repeat(new Literal("0"), 1, most);
            }
            char d = bound.charAt(0);
            String rest = bound.substring(1);
            Expression equal = sequence(
                    new Literal(String.valueOf(d)),
                    tail(atMost(rest, excluded, most - 1), !(rest.isEmpty() && excluded)));
            return d == '0' ? equal : choice(sequence(digit('0', d - 1), digits(0, most - 1)), equal);
        }

        Expression between(String low, boolean lowExcluded, String high, boolean highExcluded, int most) {
            if (most == 0) {
                return Expression.NOTHING;
            }
            char a = low.isEmpty() ? '0' : low.charAt(0);
            char b = high.isEmpty() ? '0' : high.charAt(0);
            String lowRest = low.isEmpty() ? "" : low.substring(1);
            String highRest = high.isEmpty() ? "" : high.substring(1);
            boolean endsLow = lowRest.isEmpty() && !lowExcluded;
            boolean endsHigh = !(highRest.isEmpty() && highExcluded);
            if (a == b) {
                return sequence(
                        new Literal(String.valueOf(a)),
                        tail(between(lowRest, lowExcluded, highRest, highExcluded, most - 1), endsLow && endsHigh));
            }
            if (a > b) {
                return Expression.NOTHING;
            }
            List<Expression> alternatives = new ArrayList<>();
            alternatives.add(sequence(
                    new Literal(String.valueOf(a)), tail(atLeast(lowRest, lowExcluded, most - 1), endsLow)));
            if (a + 1 < b) {
                alternatives.add(sequence(digit(a + 1, b - 1), digits(0, most - 1)));
            }
            alternatives.add(sequence(
                    new Literal(String.valueOf(b)), tail(atMost(highRest, highExcluded, most - 1), endsHigh)));
            return new Choice(alternatives);
        }

        private static Expression tail(Expression digits, boolean noneAsWell) {
            return noneAsWell ? optional(digits) : digits;
        }
    }
}
