package dev.tern.measure.chart;

/** Whose a value is; marks differ in form, not only in colour. */
public enum Mark {
    /** One's own that stands out. */
    BEST,
    /** One's own. */
    OWN,
    /** Of another. */
    OTHER;

    String css() {
        return switch (this) {
            case BEST -> "best";
            case OWN -> "own";
            case OTHER -> "other";
        };
    }
}
