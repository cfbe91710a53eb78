package dev.tern.measure.report;

import dev.tern.measure.Spread;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers as reports print them: three significant digits, and all of those before the point. */
final class Numbers {
    /** What stands where nothing was measured. */
    static final String NONE = "–";

    private Numbers() {}

    /** Such as 8,612, 715, 39.0, 2.94, 0.0524; very small ones as 3.10e-5. */
    static String three(double value) {
        if (!Double.isFinite(value)) {
            return Double.isNaN(value) ? NONE : value > 0 ? "∞" : "−∞";
        }
        if (value == 0) {
            return "0";
        }
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(3, RoundingMode.HALF_EVEN));
        double size = Math.abs(rounded.doubleValue());
        if (size < 1e-3) {
            String text = String.format(Locale.ROOT, "%.2e", value);
            return text.replaceFirst("e([+-])0*(\\d)", "e$1$2");
        }
        int decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3 - (int) Math.ceil(Math.log10(size) + 1e-9);
        return fixed(value, decimals);
    }

    /** With thousands in groups. */
    static String fixed(double value, int decimals) {
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    /** 10^6 bytes. */
    static String megabytes(double bytes) {
        return three(bytes / 1e6);
    }

    /** With its unit: MB below 10 GB. */
    static String bytes(double bytes) {
        return bytes < 1e10 ? megabytes(bytes) + " MB" : three(bytes / 1e9) + " GB";
    }

    static String percent(double share) {
        return three(100 * share) + " %";
    }

    /** Such as 1.47×. */
    static String times(double factor) {
        return fixed(factor, factor < 10 ? 2 : 1) + "×";
    }

    /** A share of which whole numbers matter most where it is near 1, such as 99.85 %. */
    static String agreement(double share) {
        return share == 1 ? "100 %" : fixed(100 * Math.min(share, 0.9999), 2) + " %";
    }

    /** Five digits, as perplexities of one model differ little. */
    static String perplexity(double value) {
        return Double.isFinite(value) ? fixed(value, value < 100 ? 3 : value < 10_000 ? 1 : 0) : three(value);
    }

    /** Least and most; the one value where there was no other. */
    static String range(Spread spread) {
        String least = three(spread.least());
        String most = three(spread.most());
        return least.equals(most) ? least : least + "–" + most;
    }

    /** For the axes of charts: no digits that say nothing. */
    static String tick(double value) {
        if (value != 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e7)) {
            return String.format(Locale.ROOT, "%.0e", value).replaceFirst("e([+-])0*(\\d)", "e$1$2").replace("e+", "e");
        }
        String text = String.format(Locale.ROOT, "%,.3f", value);
        return text.replaceFirst("\\.?0+$", "");
    }
}
