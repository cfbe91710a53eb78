package dev.tern.model;

import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.Tier;
import dev.tern.lut.Processor;
import java.util.Optional;

/**
 * In which layout a tier multiplies ternary matrices fastest, and whether they are computed with where the file has
 * them. No result depends on it. Immutable.
 *
 * <p>Kernels with a dot product of bytes read panels, in which a vector's lanes belong to different rows and no sum has
 * to be gathered from lanes; those without read rows. Of the panels, x86-64's kernels take five trits a byte: a fifth
 * fewer bytes come from memory, for which decoding waits; but one core of AMD's alone is fed faster than it decodes five
 * trits, and takes 2 bits. So do tokens of several sequences together, with which the arithmetic takes longer than the
 * memory. Where one core of AMD's has AVX-512, or several sequences are computed together, its mixed panels take the
 * place of 2 bits: as fast with one token, and faster with each more, up to 1.3 times. AArch64's take 2 bits, which cost
 * less to decode.
 */
public final class LayoutChoice {
    private final Tier tier;
    private final int threads;
    private final int sequences;
    private final Optional<TernaryLayout> wanted;
    private final boolean mapped;
    private final boolean amd;

    private LayoutChoice(
            Tier tier, int threads, int sequences, Optional<TernaryLayout> wanted, boolean mapped, boolean amd) {
        this.tier = tier;
        this.threads = threads;
        this.sequences = sequences;
        this.wanted = wanted;
        this.mapped = mapped;
        this.amd = amd;
    }

    /**
     * A choice for all matrices of a model.
     *
     * @param tier who computes
     * @param threads how many compute
     * @param sequences how many are computed together, a token of each in a pass
     * @param wanted by the user, or empty
     * @param mapped use what can be used as it lies in the mapped file, and copy nothing of it
     * @throws IllegalArgumentException when it is to be used as it lies and in panels, which no file holds
     */
    public static LayoutChoice of(
            Tier tier, int threads, int sequences, Optional<TernaryLayout> wanted, boolean mapped) {
        return of(tier, threads, sequences, wanted, mapped, Processor.name());
    }

    /** The same on a processor of this name. */
    static LayoutChoice of(
            Tier tier,
            int threads,
            int sequences,
            Optional<TernaryLayout> wanted,
            boolean mapped,
            String processor) {
        if (mapped && wanted.isPresent() && wanted.get() != TernaryLayout.ROWS) {
            throw new IllegalArgumentException(
                    "no file has " + wanted.get() + ", so its matrices cannot be used where they are mapped");
        }
        return new LayoutChoice(tier, threads, sequences, wanted, mapped, processor.contains("AMD"));
    }

    /**
     * The layout of a matrix. One with too many columns for five trits a byte has 2 bits a weight.
     *
     * @param storedAsRows whether the file has it in {@link TernaryLayout#ROWS}
     */
    public TernaryLayout of(int cols, boolean storedAsRows) {
        if (mapped && storedAsRows) {
            return TernaryLayout.ROWS;
        }
        TernaryLayout layout = wanted.orElse(fastest());
        return cols <= layout.maxCols() ? layout : TernaryLayout.PANELS_2BIT;
    }

    private TernaryLayout fastest() {
        return switch (tier) {
            case JAVA, SCALAR, AVX2, NEON -> TernaryLayout.ROWS;
            case AVXVNNI, AVX512VNNI, AMX -> {
                if (sequences == 1 && !(threads == 1 && amd)) {
                    yield TernaryLayout.PANELS_5TRIT;
                }
                yield tier == Tier.AVX512VNNI && amd ? TernaryLayout.PANELS_MIXED : TernaryLayout.PANELS_2BIT;
            }
            case NEONDOT -> TernaryLayout.PANELS_2BIT;
        };
    }

    /** Whether a matrix is used where the file has it. */
    boolean inPlace(int cols, boolean storedAsRows) {
        return storedAsRows && of(cols, true) == TernaryLayout.ROWS && !copies();
    }

    /** What speeds depend on. */
    @Override
    public String toString() {
        return wanted.orElse(fastest()) + (mapped ? " mapped" : "");
    }

    /**
     * Whether what could be used in place is worth a copy in huge pages. Only vector kernels wait for memory. Two
     * threads read 31 GB/s from pages of 4 KiB and 37 from those of 2 MiB on Sapphire Rapids, whose cores wait for each
     * page; on Zen 4, where two cores fill the memory, 33 and 34, which no copy is worth.
     */
    boolean copies() {
        return !mapped && !amd && tier != Tier.JAVA && tier != Tier.SCALAR;
    }
}
