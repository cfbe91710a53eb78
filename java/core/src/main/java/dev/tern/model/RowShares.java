package dev.tern.model;

import dev.tern.kernels.LutWeights;
import dev.tern.kernels.Projection;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;

/**
 * How the rows of a matrix are dealt out to the members of a team; the forward pass and what measures it do it alike.
 */
public final class RowShares {
    /** Rows of a matrix are dealt out in multiples of this. */
    static final int ROW_UNIT = 32;

    /** Shares of a stage, for each member: one that is held up leaves the rest to others. */
    static final int SHARES = 4;

    private RowShares() {}

    /** The same where shares are whole tiles, which are large: with ten tiles in eight shares two would be double. */
    private static final int TILE_SHARES = 16;

    /**
     * Into how many shares the rows of a matrix are cut for a team.
     *
     * @param unit rows in whose multiples they are dealt out, {@link #rowUnit}
     */
    public static int rowShares(int rows, int unit, int members) {
        int most = members == 1 ? 1 : (unit == ROW_UNIT ? SHARES : TILE_SHARES) * members;
        return Math.min((rows + unit - 1) / unit, most);
    }

    /**
     * Into how many shares rows of a matrix, or of some that are alike, are cut that meet {@code tokens} tokens. In mixed
     * panels several tokens have their tables made for each share, as long as three panels take: shares are larger.
     *
     * @param unit as above
     */
    static int rowShares(Projection w, int tokens, int rows, int unit, int members) {
        int shares = rowShares(rows, unit, members);
        boolean tables = w instanceof TernaryWeights panels && panels.layout() == TernaryLayout.PANELS_MIXED;
        return tables && tokens > 1 && members > 1 ? Math.min(shares, SHARES / 2 * members) : shares;
    }

    /**
     * Rows in whose multiples a matrix is dealt out: whole tiles where there are enough of them, since they are read
     * best.
     */
    public static int rowUnit(Projection w, int members) {
        return w instanceof LutWeights packed && w.rows() / packed.shape().bm() >= 2 * members
                ? packed.shape().bm()
                : ROW_UNIT;
    }

    /**
     * Where share {@code i} of {@code n} begins when {@code count} things are dealt out in multiples of {@code unit}.
     *
     * <p>Where there are three units a share or more, the shares become smaller, in equal steps down to three tenths of
     * the first (trapezoid self-scheduling, Tzen and Ni 1993): members are never equally fast, and who comes last
     * should not come late. It depends on nothing but the arguments, so the same rows are the same share in every pass;
     * which member takes it does not.
     */
    public static int share(int count, int unit, int i, int n) {
        long units = (count + unit - 1L) / unit;
        long before = i; // shares before this one, by weight
        long all = n;
        if (units >= 3L * n) {
            before = weight(i, n);
            all = weight(n, n);
        }
        return (int) Math.min(count, units * before / all * unit);
    }

    /** Weight of the first {@code i} of {@code n} shares, share j weighing 10 n - 7 j. */
    private static long weight(long i, long n) {
        return 10 * n * i - 7 * i * (i - 1) / 2;
    }
}
