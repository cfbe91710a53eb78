package dev.tern.grammar;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/**
 * What numbers are allowed.
 *
 * @param low null for none
 * @param high null for none
 * @param step numbers are multiples of it; null for any
 */
record NumberBounds(
        @Nullable BigDecimal low,
        boolean lowExcluded,
        @Nullable BigDecimal high,
        boolean highExcluded,
        @Nullable BigDecimal step) {
    static final NumberBounds NONE = new NumberBounds(null, false, null, false, null);

    private static final BigDecimal LARGEST = new BigDecimal(NumberRules.LARGEST);

    NumberBounds atLeast(BigDecimal bound, boolean excluded) {
        int order = low == null ? 1 : bound.compareTo(low);
        if (order < 0) {
            return this;
        }
        return new NumberBounds(bound, excluded || order == 0 && lowExcluded, high, highExcluded, step);
    }

    NumberBounds atMost(BigDecimal bound, boolean excluded) {
        int order = high == null ? -1 : bound.compareTo(high);
        if (order > 0) {
            return this;
        }
        return new NumberBounds(low, lowExcluded, bound, excluded || order == 0 && highExcluded, step);
    }

    /** Multiples of both: of the least common one. */
    NumberBounds multipleOf(BigDecimal other) {
        BigDecimal both = other;
        if (step != null) {
            int scale = Math.max(Math.max(step.scale(), other.scale()), 0);
            BigInteger a = step.setScale(scale, RoundingMode.UNNECESSARY).unscaledValue();
            BigInteger b = other.setScale(scale, RoundingMode.UNNECESSARY).unscaledValue();
            both = new BigDecimal(a.divide(a.gcd(b)).multiply(b), scale);
        }
        return new NumberBounds(low, lowExcluded, high, highExcluded, both);
    }

    boolean admits(BigDecimal value) {
        int above = low == null ? 1 : value.compareTo(low);
        int below = high == null ? -1 : value.compareTo(high);
        return (above > 0 || above == 0 && !lowExcluded)
                && (below < 0 || below == 0 && !highExcluded)
                && (step == null || value.remainder(step).signum() == 0);
    }

    /** Whether no number is within both. */
    boolean excludes(NumberBounds other) {
        return above(this, other) || above(other, this);
    }

    private static boolean above(NumberBounds a, NumberBounds b) {
        if (a.low == null || b.high == null) {
            return false;
        }
        int order = a.low.compareTo(b.high);
        return order > 0 || order == 0 && (a.lowExcluded || b.highExcluded);
    }

    boolean isEmpty() {
        return above(this, this);
    }

    /** With both bounds, none beyond what is written, for numbers that need not be whole. */
    NumberBounds limited() {
        return atLeast(LARGEST.negate(), false).atMost(LARGEST, false);
    }

    /** The least whole number; without a bound far enough below the upper one. */
    BigInteger firstWhole() {
        if (low == null) {
            BigInteger most = high == null ? BigInteger.ZERO : lastWhole();
            return NumberRules.LARGEST.negate().min(most.subtract(NumberRules.LARGEST));
        }
        BigInteger up = low.setScale(0, RoundingMode.CEILING).toBigInteger();
        return lowExcluded && new BigDecimal(up).compareTo(low) == 0 ? up.add(BigInteger.ONE) : up;
    }

    /** The largest whole number. */
    BigInteger lastWhole() {
        if (high == null) {
            BigInteger least = low == null ? BigInteger.ZERO : firstWhole();
            return NumberRules.LARGEST.max(least.add(NumberRules.LARGEST));
        }
        BigInteger down = high.setScale(0, RoundingMode.FLOOR).toBigInteger();
        return highExcluded && new BigDecimal(down).compareTo(high) == 0 ? down.subtract(BigInteger.ONE) : down;
    }
}
