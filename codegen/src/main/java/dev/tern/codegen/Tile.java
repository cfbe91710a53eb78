package dev.tern.codegen;

/**
 * How a look-up-table format cuts a matrix: tiles of {@code rows} x {@code cols} weights, in which the rows lie
 * interleaved in blocks of {@code rowBlock}. What is legal depends on the format and the matrix:
 * {@link LutFormat#obstacle}.
 *
 * @param rows BM of kernel literature and of bitnet.cpp's generators; {@code bm} of kernel_config.ini
 * @param cols BK; {@code bk} there
 * @param rowBlock bm; {@code bmm} there
 */
public record Tile(int rows, int cols, int rowBlock) {

    public Tile {
        if (rows <= 0 || cols <= 0 || rowBlock <= 0) {
            throw new IllegalArgumentException("a tile of " + rows + "/" + cols + "/" + rowBlock);
        }
    }

    /** As users write it: BM/BK/bm. */
    @Override
    public String toString() {
        return rows + "/" + cols + "/" + rowBlock;
    }
}
