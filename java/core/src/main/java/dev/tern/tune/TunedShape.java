package dev.tern.tune;

import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import java.util.Comparator;
import java.util.List;

/**
 * What was measured of one shape.
 *
 * @param format of the kernels
 * @param shape of the matrix
 * @param tiles the candidates; the planner's choice is the first
 * @param measured whether they were timed now, not some time before
 */
public record TunedShape(LutFormat format, MatrixShape shape, List<TimedTile> tiles, boolean measured) {
    /**
     * Weight of the time of decoding in the comparison; the rest is prefill's. Models are run for the tokens they
     * write.
     */
    public static final double DECODE_SHARE = 0.8;

    /**
     * By how much a tile must be faster than the planner's to be preferred: less is noise, and the files would change.
     */
    public static final double LEAST_GAIN = 0.02;

    /** @throws IllegalArgumentException when there are no tiles or one is not legal */
    public TunedShape {
        tiles = List.copyOf(tiles);
        if (tiles.isEmpty()) {
            throw new IllegalArgumentException("no tiles of " + shape);
        }
        for (TimedTile timed : tiles) {
            format.obstacle(shape, timed.tile()).ifPresent(reason -> {
                throw new IllegalArgumentException(shape + " " + timed.tile() + ": " + reason);
            });
        }
    }

    /** The planner's choice. */
    public TimedTile planned() {
        return tiles.getFirst();
    }

    /** The tile of least cost, or the planner's when none is better by {@link #LEAST_GAIN}. */
    public TimedTile winner() {
        TimedTile planned = planned();
        return tiles.stream()
                .filter(timed -> timed.costAgainst(planned) <= 1 - LEAST_GAIN)
                .min(Comparator.comparingDouble(timed -> timed.costAgainst(planned)))
                .orElse(planned);
    }

    /** The winner as a kernel to generate. */
    public PlannedKernel kernel() {
        return new PlannedKernel(format, shape, winner().tile());
    }
}
