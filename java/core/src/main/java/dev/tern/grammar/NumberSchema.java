package dev.tern.grammar;

import dev.tern.grammar.Expression.Choice;
import dev.tern.grammar.Expression.Literal;
import dev.tern.io.InputException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The rules of numbers in a JSON Schema. */
final class NumberSchema {
    /** So many numbers are listed instead of counted out digit by digit. */
    private static final int MOST_LISTED = 1000;

    /** Remainders that are kept apart. */
    private static final int MOST_REMAINDERS = 5000;

    private final RuleSet rules;
    private final JsonText json;
    private final Effort effort;

    NumberSchema(RuleSet rules, JsonText json, Effort effort) {
        this.rules = rules;
        this.json = json;
        this.effort = effort;
    }

    /**
     * Numbers within bounds.
     *
     * @param whole whether they have to be whole
     * @param where for errors
     */
    Expression numbers(NumberBounds bounds, boolean whole, String where) {
        if (bounds.isEmpty()) {
            return Expression.NOTHING;
        }
        if (bounds.step() != null) {
            return multiples(bounds, whole, where);
        }
        if (whole) {
            BigInteger first = bounds.firstWhole();
            BigInteger last = bounds.lastWhole();
            return first.compareTo(last) > 0 ? Expression.NOTHING : NumberRules.whole(first, last);
        }
        if (bounds.equals(NumberBounds.NONE)) {
            return JsonText.number();
        }
        return NumberRules.decimal(limited(bounds, where));
    }

    private static NumberBounds limited(NumberBounds bounds, String where) {
        NumberBounds limited = bounds.limited();
        if (limited.isEmpty()) {
            throw InputException.at(where)
                    .problem("bounds of numbers are too large")
                    .expected("numbers of at most " + NumberRules.MOST_DIGITS + " digits before the point")
                    .exception();
        }
        return limited;
    }

    private Expression multiples(NumberBounds bounds, boolean whole, String where) {
        // step = units / 10^places, in lowest terms of powers of ten
        BigDecimal step = Objects.requireNonNull(bounds.step()).stripTrailingZeros();
        int places = Math.max(step.scale(), 0);
        BigInteger units = step.setScale(places, RoundingMode.UNNECESSARY).unscaledValue();
        if (whole) {
            units = units.divide(units.gcd(BigInteger.TEN.pow(places)));
            places = 0;
            step = new BigDecimal(units);
        }
        NumberBounds limited = whole
                ? bounds.atLeast(new BigDecimal(bounds.firstWhole()), false)
                        .atMost(new BigDecimal(bounds.lastWhole()), false)
                : limited(bounds, where);
        if (limited.isEmpty()) {
            return Expression.NOTHING;
        }
        BigInteger first = Objects.requireNonNull(limited.low()).divide(step, 0, RoundingMode.CEILING).toBigInteger();
        BigInteger last = Objects.requireNonNull(limited.high()).divide(step, 0, RoundingMode.FLOOR).toBigInteger();
        if (last.subtract(first).compareTo(BigInteger.valueOf(MOST_LISTED)) < 0) {
            List<Expression> listed = new ArrayList<>();
            for (BigInteger i = first; i.compareTo(last) <= 0; i = i.add(BigInteger.ONE)) {
                BigDecimal value = step.multiply(new BigDecimal(i));
                if (limited.admits(value)) {
                    listed.add(new Literal(value.toPlainString()));
                }
            }
            return new Choice(listed);
        }
        if (units.bitLength() > 31 || units.longValue() * (places + 2) > MOST_REMAINDERS) {
            throw InputException.at(where)
                    .problem("'multipleOf' is too fine or too large for these bounds")
                    .expected("at most " + MOST_LISTED + " multiples, or remainders times decimal places + 2 of at"
                            + " most " + MOST_REMAINDERS)
                    .found(step.toPlainString())
                    .exception();
        }
        Expression within = whole
                ? NumberRules.whole(
                        Objects.requireNonNull(limited.low()).toBigInteger(),
                        Objects.requireNonNull(limited.high()).toBigInteger())
                : NumberRules.decimal(limited);
        return Dfa.of(within, effort.at(where))
                .intersect(remainders(units.intValue(), places), effort)
                .toRules(rules, json, "multiple of " + step.toPlainString());
    }

    /**
     * Decimal texts whose value is a multiple of {@code units / 10^places}: the state is the remainder of the digits so
     * far, and how many of them stood behind the point, plus one where there was one.
     */
    private Dfa remainders(int units, int places) {
        int[] begins = {0, '-', '-' + 1, '.', '.' + 1, '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '9' + 1};
        int states = places + 2;
        return Dfa.of(
                begins,
                (state, c) -> {
                    int remainder = state / states;
                    int behind = state % states;
                    if (c == '-') {
                        return state;
                    }
                    if (c == '.') {
                        return behind == 0 && places > 0 ? state + 1 : -1;
                    }
                    if (c < '0' || c > '9' || behind == places + 1) {
                        return -1;
                    }
                    int next = (int) ((10L * remainder + c - '0') % units);
                    return next * states + (behind == 0 ? 0 : behind + 1);
                },
                state -> {
                    BigInteger missing = BigInteger.TEN.pow(places - Math.max(state % states - 1, 0));
                    return BigInteger.valueOf(state / states)
                                    .multiply(missing)
                                    .mod(BigInteger.valueOf(units))
                                    .signum()
                            == 0;
                },
                effort);
    }
}
