package dev.tern.sampling;

import java.util.List;

/**
 * Finds stop strings in text that arrives piece by piece, across the borders of pieces. Text that could be the
 * beginning of a stop string is held back until it is certain. Not thread-safe.
 */
public final class StopStrings {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean matched;
    private String match = "";

    /** @throws IllegalArgumentException when a stop string is empty */
    public StopStrings(List<String> stops) {
        if (stops.stream().anyMatch(String::isEmpty)) {
            throw new IllegalArgumentException("a stop string is empty");
        }
        this.stops = List.copyOf(stops);
    }

    /** Whether a stop string has been found. Text from it on is never returned. */
    public boolean matched() {
        return matched;
    }

    /** The stop string that has been found; empty where there is none. */
    public String match() {
        return match;
    }

    /** Takes the next piece and returns the text that is certain not to belong to a stop string. */
    public String push(String piece) {
        if (matched) {
            return "";
        }
        if (stops.isEmpty()) {
            return piece;
        }
        held.append(piece);
        // The one that is complete first, whatever the pieces; of those complete at once, the longest.
        int found = -1;
        int foundEnd = Integer.MAX_VALUE;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            int end = at + stop.length();
            if (at >= 0 && (end < foundEnd || (end == foundEnd && at < found))) {
                found = at;
                foundEnd = end;
                match = stop;
            }
        }
        matched = found >= 0;
        return release(matched ? found : held.length() - undecided());
    }

    /** The end: what was held back is text after all. */
    public String finish() {
        return matched ? "" : release(held.length());
    }

    private String release(int length) {
        String text = held.substring(0, length);
        held.delete(0, matched ? held.length() : length);
        return text;
    }

    /** Length of the longest end of the held text with which a stop string begins. */
    private int undecided() {
        int longest = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
                if (stop.startsWith(held.substring(held.length() - n))) {
                    longest = n;
                }
            }
        }
        return longest;
    }
}
