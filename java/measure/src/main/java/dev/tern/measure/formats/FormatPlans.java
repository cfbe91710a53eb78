package dev.tern.measure.formats;

import dev.tern.convert.ConversionPlan;
import dev.tern.convert.Converter;
import dev.tern.io.InputException;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Which formats there will be, and whether the disk has room for them. */
final class FormatPlans {
    /** All of them, the smallest kind first. */
    private static final List<Outtype> ALL = List.of(
            Outtype.TQ1_0,
            Outtype.TQ2_0,
            Outtype.I2_S,
            Outtype.TL1,
            Outtype.TL2,
            Outtype.Q2_K,
            Outtype.Q4_0,
            Outtype.Q8_0,
            Outtype.F16,
            Outtype.BF16,
            Outtype.F32);

    private final FormatsRequest request;
    private final List<String> notes = new ArrayList<>();

    FormatPlans(FormatsRequest request) {
        this.request = request;
    }

    /** What a reader should know of formats that are left out. */
    List<String> notes() {
        return List.copyOf(notes);
    }

    /** A converter for one of them; nothing is read yet. */
    Converter converter(Outtype outtype) {
        return Converter.from(request.checkpoint())
                .outtype(outtype)
                .embeddingType(request.embeddingType())
                .architecture(request.architecture())
                .tensorHashes(false)
                .validate(true);
    }

    /**
     * Plans each. One that was asked for and cannot be has failed; others that cannot be are left out, with a note.
     *
     * @throws InputException when none can be, with the first one's reason
     */
    List<FormatTrial> plan(Path folder) {
        boolean asked = !request.outtypes().isEmpty();
        List<FormatTrial> trials = new ArrayList<>();
        InputException first = null;
        for (Outtype outtype : asked ? request.outtypes() : ALL) {
            Path file = folder.resolve(request.name() + "-" + outtype.label() + ".gguf");
            String embedding = request.embeddingType().name().toLowerCase(Locale.ROOT);
            try {
                ConversionPlan plan = converter(outtype).plan();
                trials.add(new FormatTrial(outtype, file, embedding, plan, null));
            } catch (InputException e) {
                first = first == null ? e : first;
                if (asked) {
                    trials.add(new FormatTrial(outtype, file, embedding, null, e.getMessage()));
                } else {
                    notes.add(outtype.label() + " is left out: " + e.getMessage());
                }
            }
        }
        if (first != null && trials.stream().allMatch(FormatTrial::failed)) {
            throw first;
        }
        return trials;
    }

    /**
     * Refuses what does not fit: all files are needed at once, since formats take turns.
     *
     * @param further bytes besides
     */
    static void requireRoom(List<FormatTrial> trials, Path folder, long further) {
        long room = room(folder);
        long needed = needed(trials) + further;
        if (room == 0 || needed <= room) { // 0: some file systems do not know
            return;
        }
        List<FormatTrial> fitting = new ArrayList<>(trials);
        while (!fitting.isEmpty() && needed(fitting) + further > room) {
            fitting.remove(fitting.stream().max(Comparator.comparingLong(FormatTrial::plannedBytes)).orElseThrow());
        }
        String fewer = fitting.isEmpty()
                ? ""
                : "Compare fewer (--outtypes "
                        + fitting.stream().map(FormatTrial::toString).collect(Collectors.joining(",")) + " fit), or ";
        throw InputException.at(folder)
                .problem("the disk is too full for " + trials.size()
                        + " formats, which take turns and so must all be there")
                .expected(gibibytes(needed) + " of room")
                .found(gibibytes(room))
                .cure(fewer + (fewer.isEmpty() ? "Name" : "name") + " a folder on another disk with --keep, or move the"
                        + " cache with TERN_CACHE.")
                .exception();
    }

    static long needed(List<FormatTrial> trials) {
        return trials.stream().mapToLong(FormatTrial::plannedBytes).sum();
    }

    /** Bytes that can be written to a folder; 0 where that is not known. */
    static long room(Path folder) {
        try {
            return Files.getFileStore(folder).getUsableSpace();
        } catch (IOException e) {
            return 0;
        }
    }

    static String gibibytes(long bytes) {
        return bytes < 1L << 30
                ? String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1L << 20))
                : String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
    }
}
