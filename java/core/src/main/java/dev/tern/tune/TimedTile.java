package dev.tern.tune;

import dev.tern.codegen.Tile;

/**
 * A tile and how fast its kernel was.
 *
 * @param tile of which the kernel was generated
 * @param decode weights a second with one token, read from memory
 * @param prefill weights times tokens a second, with {@link KernelTuner#PREFILL_TOKENS} tokens
 */
public record TimedTile(Tile tile, double decode, double prefill) {

    /** @throws IllegalArgumentException when a speed is none */
    public TimedTile {
        if (!(decode > 0 && decode < 1e18 && prefill > 0 && prefill < 1e18)) {
            throw new IllegalArgumentException(tile + ": " + decode + " and " + prefill + " weights a second");
        }
    }

    /** Time relative to another tile: {@link TunedShape#DECODE_SHARE} of it decoding, the rest prefill. */
    double costAgainst(TimedTile other) {
        return TunedShape.DECODE_SHARE * other.decode / decode + (1 - TunedShape.DECODE_SHARE) * other.prefill / prefill;
    }
}
