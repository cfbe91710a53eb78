package dev.tern.cli;

import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.measure.formats.Surroundings;
import java.util.List;
import java.util.Optional;

/** What a comparison needs of the command line. */
final class ComparisonSurroundings implements Surroundings, AutoCloseable {
    private final Terminal terminal;
    private final Interruption interruption;
    private final Progress progress;

    ComparisonSurroundings(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
        this.progress = new Progress(terminal, interruption);
    }

    @Override
    public void progress(String task, long done, long total, String unit, long unitSize) {
        progress.at(task, done, total, unit, unitSize);
    }

    @Override
    public void check() {
        interruption.check();
    }

    @Override
    public void step(String line) {
        progress.close(); // its line would be in the way; the next call of it draws another
        if (terminal.showsProgress() || terminal.verbose()) {
            terminal.err().println(line);
        }
    }

    @Override
    public List<String> tern(List<String> arguments) {
        return TernCommand.of(arguments);
    }

    @Override
    public Optional<String> provide(KernelPlan plan) {
        LutFormat format = plan.kernels().getFirst().format();
        if (!PlannedLibrary.nativeHere() || !PlannedLibrary.fastHere(format)) {
            return Optional.empty(); // weights are repacked when they are loaded, as setup says
        }
        progress.close();
        PlannedLibrary library = PlannedLibrary.provide(plan, interruption);
        return library.status() == StepLog.Status.FAILED ? Optional.of(library.text()) : Optional.empty();
    }

    @Override
    public boolean requireNative() {
        return terminal.requireNative();
    }

    @Override
    public void close() {
        progress.close();
    }
}
