package dev.tern.tune;

import dev.tern.codegen.KernelBuild;
import dev.tern.codegen.KernelBuildException;
import dev.tern.codegen.KernelLibraryFile;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.KernelPlanException;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.LutPath;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.Tier;
import dev.tern.lut.BackgroundBuild;
import dev.tern.lut.LutSource;
import dev.tern.lut.Processor;
import dev.tern.model.ThreadTeam;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Chooses tiles by timing them on this machine: the planner's best few of every shape, in one library that is generated
 * and built for it, with one token (decode) and with {@link #PREFILL_TOKENS}. What was found of a shape is kept in the
 * cache as soon as it is known, so a run that was ended goes on where it was, and one that is repeated takes no time.
 * Not thread-safe.
 */
public final class KernelTuner {
    /** Tokens of a batch in prefill. */
    public static final int PREFILL_TOKENS = 32;

    /** Memory that timing one shape may take. */
    private static final long MOST_BYTES = 1L << 30;

    private final Path cache;
    private final Kernels kernels;
    private final int threads;
    private Duration budget = Duration.ofSeconds(60);
    private boolean again;
    private TuningProgress progress = TuningProgress.NONE;

    /**
     * A tuner.
     *
     * @param cache an existing folder, the user's own: for the library and the measurements
     * @param kernels of the tier to tune for; not the Java reference
     * @param threads that compute
     * @throws KernelUnavailableException for the Java reference, which has no look-up-table kernels
     */
    public KernelTuner(Path cache, Kernels kernels, int threads) {
        if (kernels.tier() == Tier.JAVA) {
            throw new KernelUnavailableException("tiles are timed with native kernels, and there are none");
        }
        this.cache = cache;
        this.kernels = kernels;
        this.threads = threads;
    }

    /** How long to measure at most, all shapes together, each once at least; building the library comes on top. */
    public KernelTuner budget(Duration time) {
        budget = time;
        return this;
    }

    /** Whether to measure what is known already. */
    public KernelTuner again(boolean value) {
        again = value;
        return this;
    }

    /** Who hears how far it is, and may end it by throwing. */
    public KernelTuner progress(TuningProgress listener) {
        progress = listener;
        return this;
    }

    /**
     * The tiles that {@link #tune} times for a shape, the planner's choice first.
     *
     * @throws KernelPlanException when none fits
     */
    public static List<PlannedKernel> candidates(LutFormat format, MatrixShape shape) {
        return Candidates.of(format, shape);
    }

    /**
     * Times every shape's tiles, apart from those whose speeds are known.
     *
     * @param shapes at least one
     * @throws KernelPlanException when no tile fits one of them
     * @throws KernelBuildException when the library cannot be built
     * @throws InputException when a matrix is too large to be timed
     */
    public Tuning tune(List<MatrixShape> shapes, LutFormat format) {
        List<List<PlannedKernel>> candidates = shapes.stream()
                .distinct()
                .map(shape -> candidates(format, shape))
                .toList();
        candidates.forEach(KernelTuner::requireRoom);
        TuningStore store = new TuningStore(cache, Processor.name() + ", tier " + kernels.tier().label() + ", "
                + LutPath.of(kernels.tier()).label() + ", " + threads + " threads");
        List<TunedShape> tuned = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        try (Session session = new Session(candidates)) {
            for (int i = 0; i < candidates.size(); i++) {
                tuned.add(shape(candidates.get(i), i, store, session, notes));
            }
        }
        return new Tuning(format, LutPath.of(kernels.tier()).label(), threads, tuned, notes);
    }

    private TunedShape shape(
            List<PlannedKernel> tiles, int index, TuningStore store, Session session, List<String> notes) {
        PlannedKernel planned = tiles.getFirst();
        // Named by the kernels of this shape alone, so that other models with such a matrix know them too.
        Path file = store.file(tiles, sources(tiles));
        Optional<List<TimedTile>> known = again ? Optional.empty() : TuningStore.read(file, tiles);
        if (known.isPresent()) {
            return new TunedShape(planned.format(), planned.shape(), known.get(), false);
        }
        TunedShape measured = new TunedShape(planned.format(), planned.shape(), session.measure(tiles, index), true);
        try {
            store.write(file, planned, measured.tiles());
        } catch (InputException e) {
            notes.add("the measurements of " + planned.shape() + " are not kept: " + e.getMessage());
        }
        return measured;
    }

    /** By what the kernels of one shape's tiles are made of. */
    private String sources(List<PlannedKernel> tiles) {
        return String.valueOf(new KernelBuild(cache, new KernelPlan(tiles)).folder().getFileName());
    }

    private static void requireRoom(List<PlannedKernel> tiles) {
        MatrixShape shape = tiles.getFirst().shape();
        LutFormat format = tiles.getFirst().format();
        long weights = tiles.stream().mapToLong(tile -> format.packedBytes(shape, tile.tile())).max().orElse(0);
        // A token has float32 results and activations, and 32 bytes of tables for a pair of columns.
        long bytes = weights + PREFILL_TOKENS * (4L * shape.rows() + 21L * shape.cols());
        if (bytes > MOST_BYTES) {
            throw InputException.at("matrix " + shape)
                    .problem("is too large to be timed")
                    .expected("at most " + MOST_BYTES + " bytes of weights and tables")
                    .found(bytes)
                    .cure("Leave --tune away: the planner's estimate needs no memory.")
                    .exception();
        }
    }

    /** The library with all candidates and the team: made for the first shape that must be measured, or never. */
    private final class Session implements AutoCloseable {
        private final List<List<PlannedKernel>> all;
        private Optional<ThreadTeam> team = Optional.empty();
        private Optional<LutKernels> lut = Optional.empty();
        private long left = budget.toNanos();

        Session(List<List<PlannedKernel>> all) {
            this.all = all;
        }

        List<TimedTile> measure(List<PlannedKernel> tiles, int index) {
            long total = 100L * all.size();
            LutKernels library = lut.orElseGet(this::build);
            lut = Optional.of(library);
            ThreadTeam members = team.orElseGet(() -> new ThreadTeam(threads));
            team = Optional.of(members);
            progress.at("tune", 100L * index, total);
            long begin = System.nanoTime();
            try (Arena arena = Arena.ofShared()) {
                TileTimer timer = new TileTimer(arena, tiles, library, kernels, members, PREFILL_TOKENS);
                long deadline = begin + Math.max(0, left) / (all.size() - index);
                List<TimedTile> timed = timer.measure(
                        deadline, share -> progress.at("tune", 100L * index + Math.round(100 * share), total));
                left -= System.nanoTime() - begin;
                return timed;
            }
        }

        private LutKernels build() {
            KernelPlan plan = new KernelPlan(all.stream().flatMap(List::stream).toList());
            long total = 100L * all.size();
            KernelBuild build = new KernelBuild(cache, plan);
            KernelLibraryFile file = BackgroundBuild.build(build, () -> progress.at("build", 0, total));
            return LutSource.open(file, plan, kernels.tier());
        }

        @Override
        public void close() {
            team.ifPresent(ThreadTeam::close);
        }
    }
}
