package dev.tern.model;

import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.PlannedKernel;
import dev.tern.kernels.KernelCache;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutLibrary;
import dev.tern.kernels.LutPath;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.Tier;
import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import dev.tern.lut.CacheKey;
import dev.tern.lut.KernelFamily;
import dev.tern.lut.LutSource;
import dev.tern.lut.Processor;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Consumer;

/**
 * Decides how the packed matrices of a file are computed: looked up as they lie, or multiplied after repacking. What a short
 * measurement found is kept in the cache, for this processor, number of threads and plan.
 */
final class LutChoice {
    /** How much faster multiplying must be to be worth the time and the memory of repacking. */
    private static final double WORTH_REPACKING = 1.05;

    /**
     * A matrix of the file.
     *
     * @param kernel what would compute with it
     * @param weights as they lie
     */
    record Packed(PlannedKernel kernel, MemorySegment weights) {}

    private final Kernels others;
    private final LayoutChoice layouts;
    private final ThreadTeam team;
    private final Consumer<String> waiting;
    private final List<String> notes;

    /**
     * @param layouts in which the others multiply
     * @param waiting is told before kernels are built
     * @param notes to which is added what was chosen and why
     */
    LutChoice(
            Kernels others, LayoutChoice layouts, ThreadTeam team, Consumer<String> waiting, List<String> notes) {
        this.others = others;
        this.layouts = layouts;
        this.team = team;
        this.waiting = waiting;
        this.notes = notes;
    }

    /**
     * The kernels to look up with, or empty to repack.
     *
     * @param matrices of the model in the order of a token
     * @throws KernelUnavailableException when look-up-table kernels are demanded and cannot be had
     */
    Optional<LutKernels> choose(List<Packed> matrices, KernelFamily family) {
        if (matrices.isEmpty() || family == KernelFamily.MAD) {
            return Optional.empty();
        }
        KernelPlan plan = new KernelPlan(matrices.stream().map(Packed::kernel).distinct().toList());
        LutFormat format = matrices.getFirst().kernel().format();
        if (family == KernelFamily.AUTO && !isFast(format)) {
            notes.add(format.label() + ": there is no vector code to look up in tables on this machine; the weights were"
                    + " repacked for multiply-add kernels, with the same results");
            return Optional.empty();
        }
        LutSource.Found found = LutSource.find(plan, others.tier(), false);
        if (found.kernels().isEmpty() && others.tier() != Tier.JAVA) {
            waiting.accept("building kernels for this model's shapes and tiles, which takes some seconds, once");
            found = LutSource.find(plan, others.tier(), true);
        }
        notes.addAll(found.notes());
        if (found.kernels().isEmpty()) {
            if (family == KernelFamily.LUT) {
                throw new KernelUnavailableException("look-up-table kernels are demanded but cannot be had: "
                        + String.join("; ", found.notes()));
            }
            notes.add(format.label() + ": without kernels for this model's shapes and tiles the weights were repacked for"
                    + " multiply-add kernels, with the same results");
            return Optional.empty();
        }
        return family == KernelFamily.LUT ? found.kernels() : faster(found.kernels().get(), plan, matrices);
    }

    private boolean isFast(LutFormat format) {
        return LutPath.of(others.tier()).isFastFor(LutSource.format(format));
    }

    private Optional<LutKernels> faster(LutKernels kernels, KernelPlan plan, List<Packed> matrices) {
        LutContest.Result result = remembered(plan, kernels, matrices);
        boolean lut = result.mad() <= WORTH_REPACKING * result.lut();
        notes.add(String.format(
                Locale.ROOT,
                "%s: looking up decodes %.0f G weights/s here, multiply-add %.0f: %s (--kernels lut or mad decides otherwise)",
                matrices.getFirst().kernel().format().label(),
                result.lut() * 1e-9,
                result.mad() * 1e-9,
                lut ? "the weights are used as they lie" : "the weights were repacked"));
        return lut ? Optional.of(kernels) : Optional.empty();
    }

    private LutContest.Result remembered(KernelPlan plan, LutKernels kernels, List<Packed> matrices) {
        Optional<Path> file = file(plan, kernels, matrices);
        Optional<LutContest.Result> known = file.flatMap(LutChoice::read);
        if (known.isPresent()) {
            return known.get();
        }
        Arena arena = Arena.ofAuto(); // of descriptors; the weights are the file's
        List<LutWeights> weights = matrices.stream()
                .map(m -> LutWeights.of(arena, kernels, LutSource.shape(m.kernel()), m.weights(), 1))
                .toList();
        LutContest.Result result = LutContest.measure(weights, others, layouts, team);
        file.ifPresent(path -> write(path, result));
        return result;
    }

    /** Named by all that the speeds depend on. Both libraries' names hold the hash of what they are made of. */
    private Optional<Path> file(KernelPlan plan, LutKernels kernels, List<Packed> matrices) {
        String key = String.join(
                "\n",
                Processor.name(),
                LutLibrary.ofLibtern().map(library -> library.file().toString()).orElse(""),
                kernels.library().toString(),
                others.tier().toString(),
                layouts.toString(),
                kernels.path().toString(),
                Integer.toString(team.size()),
                plan.hash(),
                Integer.toString(matrices.size()));
        try {
            return Optional.of(KernelCache.folder(LutSource.CACHE).resolve("speeds-" + CacheKey.of(key) + ".properties"));
        } catch (KernelUnavailableException e) {
            return Optional.empty(); // without a cache each load measures
        }
    }

    private static Optional<LutContest.Result> read(Path file) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        Properties properties = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            properties.load(in);
            double lut = Double.parseDouble(properties.getProperty("lut", ""));
            double mad = Double.parseDouble(properties.getProperty("mad", ""));
            return lut > 0 && mad > 0 ? Optional.of(new LutContest.Result(lut, mad)) : Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty(); // measured again
        }
    }

    private static void write(Path file, LutContest.Result result) {
        Properties properties = new Properties();
        properties.setProperty("lut", Double.toString(result.lut()));
        properties.setProperty("mad", Double.toString(result.mad()));
        StringWriter text = new StringWriter();
        try (AtomicFile out = AtomicFile.create(file, true)) {
            properties.store(text, "Weights a second in decoding, through tables and through multiply-add.");
            out.write(MemorySegment.ofArray(text.toString().getBytes(StandardCharsets.ISO_8859_1)));
            out.commit();
        } catch (IOException | InputException e) {
            // The next load measures again.
        }
    }
}
