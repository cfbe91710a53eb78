package dev.tern.sampling;

/**
 * {@link Dry}. How many tokens of the end of the text also stand in front of each earlier place is what the Z-algorithm
 * gives for the text read backwards, in time linear in the window.
 */
final class DryStage implements Stage {
    private static final double LARGEST_EXPONENT = StrictMath.log(Float.MAX_VALUE);

    private final Dry dry;
    private final SequenceBreakers breakers;
    private final TokenWindow window;
    private final int[] longest; // by id: 1 + the longest repetition that the token would prolong, 0 for none
    private final double logBase;
    private final int maxExponent; // from which base^exponent would leave a float's range
    private int[] repeats = {}; // by place, counted from the end: how many tokens up to there equal those of the end

    DryStage(Dry dry, SequenceBreakers breakers, int vocabSize) {
        this.dry = dry;
        this.breakers = breakers;
        this.window = new TokenWindow(dry.lastN());
        this.longest = new int[vocabSize];
        this.logBase = StrictMath.log(dry.base());
        this.maxExponent = (int) Math.min(Integer.MAX_VALUE, LARGEST_EXPONENT / logBase);
    }

    @Override
    public void accept(int id) {
        window.add(id);
    }

    @Override
    public void apply(Candidates candidates) {
        int n = window.size();
        int limit = n <= dry.allowedLength() ? -1 : breakers.tokensBehind(window);
        if (limit < dry.allowedLength()) {
            return;
        }
        countRepeats(n);
        for (int place = 1; place < n; place++) {
            int length = Math.min(repeats[place], limit);
            if (length >= dry.allowedLength()) {
                int next = window.last(place - 1);
                longest[next] = Math.max(longest[next], 1 + length);
            }
        }
        candidates.applyTemperature();
        for (int i = 0; i < candidates.size(); i++) {
            int id = candidates.id(i);
            if (longest[id] > 0 && !breakers.isBreaker(id)) {
                int exponent = Math.min(maxExponent, longest[id] - 1 - dry.allowedLength());
                double penalty = dry.multiplier() * StrictMath.exp(exponent * logBase); // StrictMath.pow allocates
                candidates.setLogit(i, candidates.logit(i) - (float) Math.min(penalty, Float.MAX_VALUE));
            }
        }
        for (int place = 0; place < n; place++) {
            longest[window.last(place)] = 0;
        }
    }

    /** The Z-algorithm: [left, right) is the match found so far that reaches furthest. */
    private void countRepeats(int n) {
        if (repeats.length < n) {
            repeats = new int[Math.max(n, 2 * repeats.length)];
        }
        int left = 0;
        int right = 0;
        for (int place = 1; place < n; place++) {
            int length = place < right ? Math.min(right - place, repeats[place - left]) : 0;
            while (place + length < n && window.last(length) == window.last(place + length)) {
                length++;
            }
            repeats[place] = length;
            if (place + length > right) {
                left = place;
                right = place + length;
            }
        }
    }
}
