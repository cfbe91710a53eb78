package dev.tern.model;

/**
 * How the attention's items (token, head) are dealt out. The query heads of a group share a key head, and its keys and
 * values are read once for all of them that are in one share; so shares are whole groups, or whole tokens, as far as
 * that leaves work for everybody. Immutable.
 */
final class AttentionShares {
    private final int heads;
    private final int group; // query heads of a key head
    private final int members;
    private final int whole; // groups that are dealt out whole to the only token
    private final int pieces; // shares of each of the others

    AttentionShares(int heads, int kvHeads, int members) {
        this.heads = heads;
        this.group = heads / kvHeads;
        this.members = members;
        this.whole = members == 1 ? kvHeads : kvHeads / members * members;
        this.pieces = pieces(kvHeads - whole, group, members);
    }

    /**
     * Into how many pieces to cut each of {@code groups} groups, so that the member with the most query heads has as
     * few as can be, and the pieces are as large as that allows.
     */
    private static int pieces(int groups, int group, int members) {
        int best = 1;
        int fewest = Integer.MAX_VALUE;
        for (int p = 1; p <= group; p++) {
            int most = Math.ceilDiv(groups * p, members) * Math.ceilDiv(group, p);
            if (most < fewest) {
                best = p;
                fewest = most;
            }
        }
        return best;
    }

    /** Shares of the tokens of a view. */
    int count(SpanView view) {
        if (view.spans() == 1) {
            return count(view.tokens());
        }
        // Twice as many as of one prompt: what positions cost differs with how many tokens attend to them at once.
        return members == 1 ? 1 : Math.min(view.tokens() * heads / group, 2 * RowShares.SHARES * members);
    }

    /**
     * The first item of each of {@code n} shares of a view, and behind the last the number of items. An item is
     * {@code token * heads + head}, tokens numbered as in the view. Shares have about the same number of positions to
     * attend to, and may reach over several spans.
     *
     * @param into for the result, where it has room
     */
    int[] cut(SpanView view, int n, int[] into) {
        int[] cuts = into.length > n ? into : new int[Math.max(n + 1, 2 * into.length)];
        if (view.spans() == 1) {
            for (int i = 0; i <= n; i++) {
                cuts[i] = begin(view.tokens(), view.position(0), i, n);
            }
            return cuts;
        }
        double all = 0;
        for (int s = 0; s < view.spans(); s++) {
            all += positions(view.count(s), view.position(s));
        }
        double before = 0; // positions of the spans before s
        int s = 0;
        for (int i = 0; i < n; i++) {
            double wanted = all * i / n;
            while (s + 1 < view.spans() && before + positions(view.count(s), view.position(s)) <= wanted) {
                before += positions(view.count(s), view.position(s));
                s++;
            }
            cuts[i] = view.index(s) * heads + item(view.count(s), view.position(s), wanted - before, n);
        }
        cuts[n] = view.tokens() * heads;
        return cuts;
    }

    /** Shares of {@code tokens} tokens of one sequence. */
    int count(int tokens) {
        if (tokens == 1) {
            return members == 1 ? 1 : whole + (heads / group - whole) * pieces;
        }
        return members == 1 ? 1 : Math.min(tokens * heads / group, RowShares.SHARES * members);
    }

    /**
     * The first item, {@code token * heads + head}, of share {@code i} of {@code n}; of share {@code n} the number of
     * items. The first token has {@code position + 1} positions to attend to, each further one more; shares of several
     * tokens have about the same number.
     */
    int begin(int tokens, int position, int i, int n) {
        if (i == n) {
            return tokens * heads;
        }
        if (tokens == 1) {
            if (i <= whole) {
                return i * group;
            }
            int piece = i - whole;
            return (whole + piece / pieces) * group + piece % pieces * group / pieces;
        }
        return item(tokens, position, positions(tokens, position) * i / n, n);
    }

    /** Positions that tokens attend to, the first to {@code position + 1}, each further one to one more. */
    private static double positions(int tokens, int position) {
        return tokens * (position + (tokens + 1) / 2.0);
    }

    /** The item before which tokens attend to about {@code wanted} positions. */
    private int item(int tokens, int position, double wanted, int n) {
        // The first t tokens attend to t * position + t * (t + 1) / 2 positions; solve for t.
        double b = position + 0.5;
        double t = Math.sqrt(b * b + 2 * wanted) - b;
        int unit = tokens >= 2 * n ? heads : group;
        return (int) Math.min((long) tokens * heads, Math.round(t * heads / unit) * unit);
    }
}
