package dev.tern.measure.rivals;

import dev.tern.io.InputException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Engines to compare with, as a user has described them in a file. That an engine is not there is no error: its
 * measurement then says so.
 */
public final class Rivals {
    private final List<Rival> engines;

    private Rivals(List<Rival> engines) {
        this.engines = List.copyOf(engines);
    }

    /**
     * Reads a rivals file. Its fields are described in {@code bench/rivals/README.md}.
     *
     * @throws InputException where it cannot be read, is not JSON, or has fields that it should not have
     */
    public static Rivals read(Path file) {
        return new Rivals(RivalsReader.read(file));
    }

    /** Names, in the file's order. */
    public List<String> engines() {
        return engines.stream().map(Rival::engine).toList();
    }

    /** Ready to be measured, one for each engine, in the file's order. */
    public List<RivalBench> benches(Workload workload) {
        return benches(workload, System.getenv());
    }

    /** With these environment variables for those that the file names. */
    List<RivalBench> benches(Workload workload, Map<String, String> variables) {
        return engines.stream().map(engine -> new RivalBench(engine, workload, variables)).toList();
    }
}
