package dev.tern.codegen;

/**
 * One kernel to generate: a matrix shape, cut into a legal tile.
 *
 * @param format of the packed weights
 * @param shape of the matrix
 * @param tile legal for both
 */
public record PlannedKernel(LutFormat format, MatrixShape shape, Tile tile) {

    /** @throws IllegalArgumentException when the tile is not legal */
    public PlannedKernel {
        format.obstacle(shape, tile).ifPresent(reason -> {
            throw new IllegalArgumentException(format + " " + shape + " " + tile + ": " + reason);
        });
    }

    /** {@code tl2 2560x6912 160/96/32}. */
    @Override
    public String toString() {
        return format.label() + " " + shape + " " + tile;
    }
}
