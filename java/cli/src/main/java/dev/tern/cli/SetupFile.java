package dev.tern.cli;

import dev.tern.convert.ConversionPlan;
import dev.tern.convert.ConversionProgress;
import dev.tern.convert.ValidationReport;
import dev.tern.convert.Validator;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.ternary.LutTiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The GGUF file of a setup: whether what lies there is what would be made.
 *
 * @param record the folder's {@code setup.json}
 * @param plan what would be made
 * @param wanted all that it depends on
 */
record SetupFile(Path checkpoint, Path file, Path record, ConversionPlan plan, SetupRecord.Request wanted) {

    /**
     * What came of the examination.
     *
     * @param kept the record of the file when it can stay, empty when it must be made
     * @param reason why it stays, or why it must be made again; empty when there was none
     * @param validation that was needed to tell, or null
     */
    record Verdict(Optional<SetupRecord> kept, String reason, @Nullable ValidationReport validation) {
        private static Verdict again(String reason) {
            return new Verdict(Optional.empty(), reason, null);
        }
    }

    /**
     * Examines it. A file that the record vouches for is compared by its hash, one that it does not by its contents.
     *
     * @throws InputException when the file is somebody else's, and would have to be replaced
     */
    Verdict examine(Progress progress) {
        if (!Files.exists(file)) {
            return Verdict.again("");
        }
        SetupRecord before;
        try {
            before = SetupRecord.read(record);
        } catch (InputException e) {
            return adopt(Files.exists(record) ? SetupRecord.FILE_NAME + " cannot be used" : "there is no " + SetupRecord.FILE_NAME, progress);
        }
        if (!before.file().equals(String.valueOf(file.getFileName()))) {
            return adopt(SetupRecord.FILE_NAME + " is that of " + before.file(), progress);
        }
        List<String> differences = wanted.differences(before.request());
        if (!differences.isEmpty()) {
            return Verdict.again(String.join("; ", differences));
        }
        if (size() != before.bytes()) {
            return Verdict.again("it was cut short or changed: it has " + size() + " bytes, had " + before.bytes());
        }
        if (!SetupRecord.sha256(file, progress).equals(before.sha256())) {
            return Verdict.again("it was damaged or changed: its SHA-256 is not that of " + SetupRecord.FILE_NAME);
        }
        String there = "is there, of this checkpoint and these settings";
        if (before.validated()) {
            return new Verdict(Optional.of(before), there, null);
        }
        ValidationReport validation = Validator.validate(file, checkpoint, null, progress(progress));
        return validation.ok()
                ? new Verdict(Optional.of(validated(before.sha256())), there, validation)
                : Verdict.again("it did not validate: " + validation.problems().getFirst());
    }

    /** A file without a record, as after a power cut or from tern convert: its contents decide. */
    private Verdict adopt(String why, Progress progress) {
        Optional<String> fault;
        ValidationReport validation = null;
        try {
            fault = fault();
            if (fault.isEmpty()) {
                validation = Validator.validate(file, checkpoint, null, progress(progress));
                fault = validation.problems().stream().findFirst();
            }
        } catch (InputException e) {
            fault = Optional.of(String.valueOf(e.getMessage()));
        }
        if (fault.isPresent()) {
            throw InputException.at(file)
                    .problem("exists, is not what this setup would make, and nothing says that a setup made it (" + why + "): "
                            + fault.get())
                    .cure("Remove it, or name another folder with -o.")
                    .exception();
        }
        SetupRecord kept = validated(SetupRecord.sha256(file, progress));
        return new Verdict(Optional.of(kept), "is there; " + why + ", so it was compared with the checkpoint", validation);
    }

    private SetupRecord validated(String sha256) {
        return new SetupRecord(wanted, String.valueOf(file.getFileName()), size(), sha256, true);
    }

    /** How its layout differs from what would be made. */
    private Optional<String> fault() {
        try (GgufFile open = GgufFile.open(file)) {
            List<String> tiles = KernelFiles.differences(LutTiles.ofGguf(open).kernels(), wanted.tiles());
            if (!tiles.isEmpty()) {
                return Optional.of(tiles.getFirst());
            }
            for (GgufTensor tensor : plan.tensors()) {
                Optional<GgufTensor> there = open.find(tensor.name());
                if (there.isEmpty() || there.get().type() != tensor.type()) {
                    return Optional.of(tensor.name() + " is " + there.map(found -> found.type().name()).orElse("missing")
                            + " in it, and would be " + tensor.type());
                }
            }
            return Optional.empty();
        }
    }

    private static ConversionProgress progress(Progress progress) {
        return (phase, tensor, done, total) ->
                progress.at(phase.name().toLowerCase(Locale.ROOT), done, total, "MiB", 1 << 20);
    }

    private long size() {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read", e).exception(e);
        }
    }

    /** A validation in words. */
    static String words(ValidationReport report) {
        return String.format(
                Locale.ROOT,
                "%d ternary tensors read back, %s weights, every one as in the checkpoint",
                report.ternaryTensors(),
                Sizes.count(report.ternaryWeights()));
    }
}
