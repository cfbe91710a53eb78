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

    /** Shares of {@code tokens} tokens. */
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
        double all = tokens * (position + (tokens + 1) / 2.0);
        double wanted = all * i / n;
        // The first t tokens attend to t * position + t * (t + 1) / 2 positions; solve for t.
        double b = position + 0.5;
        double t = Math.sqrt(b * b + 2 * wanted) - b;
        int unit = tokens >= 2 * n ? heads : group;
        return (int) Math.min((long) tokens * heads, Math.round(t * heads / unit) * unit);
    }
}
