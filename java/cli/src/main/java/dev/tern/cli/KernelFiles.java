package dev.tern.cli;

import dev.tern.codegen.HeaderGenerator;
import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.KernelPlanException;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.io.InputException;
import dev.tern.ternary.KernelConfigFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The {@code bitnet-lut-kernels.h} and {@code kernel_config.ini} of one folder. An ini that Tern wrote, and nobody changed
 * since, is known by the hash in its plan line: it decides the tiles, and may be replaced. Any other is the user's: it is
 * never replaced, and used only when the user names it.
 */
final class KernelFiles {
    private static final String INI = "kernel_config.ini";
    private static final Pattern PLAN_LINE = Pattern.compile("(?im)^([ \\t]*[#;]+)[ \\t]*plan[ \\t]*:[ \\t]*(\\S*)[^\\r\\n]*$");
    private static final Pattern FORMAT_LINE = Pattern.compile("(?im)^[ \\t]*[#;]+[ \\t]*format[ \\t]*:");

    private final Path folder;

    KernelFiles(Path folder) {
        this.folder = folder;
    }

    Path header() {
        return folder.resolve(HeaderGenerator.FILE_NAME);
    }

    Path ini() {
        return folder.resolve(INI);
    }

    /**
     * An ini as it lies.
     *
     * @param said the hash in its plan line, if it has one
     */
    private record Stored(KernelConfig config, Optional<String> said) {
        boolean vouched() {
            return said.filter(hash -> hash.equalsIgnoreCase(config.plan().hash())).isPresent();
        }
    }

    /**
     * The tiles that the folder's ini has for a model; empty when there is no ini, or one of Tern's for another format.
     *
     * @param shapes of the model's ternary matrices
     * @param recorded the tiles that the folder's last setup used, empty when there was none
     * @throws InputException when the ini was changed since Tern wrote it, is not Tern's, or is another model's, saying what
     *     differs
     */
    Optional<KernelConfig> config(LutFormat format, List<MatrixShape> shapes, List<PlannedKernel> recorded) {
        if (!Files.exists(ini())) {
            return Optional.empty();
        }
        Stored stored = read(format);
        if (stored.vouched() && stored.config().format() != format) {
            return Optional.empty();
        }
        List<PlannedKernel> kernels = stored.config().plan().kernels();
        if (!stored.vouched() && (recorded.isEmpty() || !kernels.containsAll(recorded))) {
            throw notOurs(stored, recorded);
        }
        for (MatrixShape shape : shapes) {
            if (stored.config().plan().tile(format, shape).isEmpty()) {
                throw InputException.at(ini())
                        .problem("is another model's")
                        .expected("a section with m = " + shape.rows() + " and k = " + shape.cols())
                        .found(String.join(", ", kernels.stream().map(kernel -> kernel.shape().toString()).toList()))
                        .cure("Remove it to have tiles planned, or name another folder with -o.")
                        .exception();
            }
        }
        return Optional.of(stored.config());
    }

    private InputException notOurs(Stored stored, List<PlannedKernel> recorded) {
        List<String> differing = recorded.isEmpty() ? List.of() : differences(stored.config().plan().kernels(), recorded);
        String tiles = differing.isEmpty() ? "" : ": " + String.join("; ", differing);
        InputException.Builder error = InputException.at(ini());
        String use = "name it with --kernel-config";
        if (stored.said().isPresent()) {
            error.problem("was changed since Tern wrote it" + tiles)
                    .expected("kernels of the plan " + stored.said().get())
                    .found(stored.config().plan().hash());
            use = "remove its plan line and " + use;
        } else {
            error.problem(
                    differing.isEmpty()
                            ? "was not written by Tern: it has no plan line"
                            : "has other tiles than this folder was set up with, and no plan line of Tern's" + tiles);
        }
        return error.cure("To have tiles planned, remove it; to use these, " + use + ".").exception();
    }

    private Stored read(LutFormat format) {
        try {
            if (Files.size(ini()) > 1 << 20) {
                throw InputException.at(ini()).expected("a " + INI).found(Files.size(ini()) + " bytes").exception();
            }
            String text = Files.readString(ini());
            Matcher plan = PLAN_LINE.matcher(text);
            Optional<String> said = plan.find() ? Optional.of(plan.group(2)) : Optional.empty();
            Optional<LutFormat> asked = FORMAT_LINE.matcher(text).find() ? Optional.empty() : Optional.of(format);
            String unplanned = PLAN_LINE.matcher(text).replaceAll("$1");
            return new Stored(KernelConfig.parse(unplanned, ini().toString(), asked), said);
        } catch (IOException | KernelPlanException e) {
            KernelConfigFile.read(ini(), Optional.of(format)); // says it in the words of every other command
            throw InputException.at(ini()).problem(String.valueOf(e.getMessage())).exception(e);
        }
    }

    /** What {@link #write} did: the text, and whether it wrote anything. */
    record Written(boolean anything, String text) {}

    /**
     * Makes both files those of a plan; leaves alone what is right.
     *
     * @throws InputException when there is an ini with other tiles that is not Tern's
     */
    Written write(KernelPlan plan) {
        Optional<String> newIni = iniToWrite(plan);
        KernelPlan own = newIni.isPresent() ? plan : read(plan.kernels().getFirst().format()).config().plan();
        String header = HeaderGenerator.generate(plan);
        Optional<String> why = headerFault(header, own.equals(plan) ? header : HeaderGenerator.generate(own));
        newIni.ifPresent(reason -> AtomicText.write(ini(), KernelConfig.text(plan)));
        why.ifPresent(reason -> AtomicText.write(header(), header));
        List<String> done = new ArrayList<>();
        why.ifPresent(reason -> done.add(header().getFileName() + reason));
        newIni.ifPresent(reason -> done.add(INI + reason));
        return new Written(!done.isEmpty(), String.join(", ", done));
    }

    /** Why the ini must be written, ready to be put behind its name; or empty. */
    private Optional<String> iniToWrite(KernelPlan plan) {
        if (!Files.exists(ini())) {
            return Optional.of("");
        }
        LutFormat format = plan.kernels().getFirst().format();
        Stored stored = read(format);
        List<PlannedKernel> kernels = stored.config().plan().kernels();
        if (kernels.containsAll(plan.kernels())) {
            return Optional.empty();
        }
        if (!stored.vouched()) {
            throw InputException.at(ini())
                    .problem("has other tiles, and is not as Tern wrote it: "
                            + String.join("; ", differences(plan.kernels(), kernels)))
                    .cure("Move it away: it would be replaced.")
                    .exception();
        }
        return Optional.of(" (was for other tiles)");
    }

    /** Why the header must be written, ready to be put behind its name; or empty. */
    private Optional<String> headerFault(String expected, String asGood) {
        if (!Files.exists(header())) {
            return Optional.of("");
        }
        try {
            String found = Files.readString(header());
            return found.equals(expected) || found.equals(asGood) ? Optional.empty() : Optional.of(" (was another or damaged)");
        } catch (IOException e) {
            return Optional.of(" (could not be read)");
        }
    }

    /** How tiles differ from what they were, a clause for each shape; kernels of shapes that only one side has count too. */
    static List<String> differences(List<PlannedKernel> now, List<PlannedKernel> before) {
        List<String> clauses = new ArrayList<>();
        for (PlannedKernel kernel : before) {
            Optional<Tile> tile = tile(now, kernel);
            if (!tile.equals(Optional.of(kernel.tile()))) {
                clauses.add(kernel.format().label() + " " + kernel.shape() + " has "
                        + tile.map(found -> "the tile " + found).orElse("no tile") + ", was " + kernel.tile());
            }
        }
        for (PlannedKernel kernel : now) {
            if (tile(before, kernel).isEmpty()) {
                clauses.add(kernel.format().label() + " " + kernel.shape() + " has the tile " + kernel.tile() + ", had none");
            }
        }
        return clauses;
    }

    private static Optional<Tile> tile(List<PlannedKernel> kernels, PlannedKernel wanted) {
        return kernels.stream()
                .filter(kernel -> kernel.format() == wanted.format() && kernel.shape().equals(wanted.shape()))
                .map(PlannedKernel::tile)
                .findFirst();
    }
}
