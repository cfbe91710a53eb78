package dev.tern.measure.rivals;

import dev.tern.io.InputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

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

    /**
     * Tern itself, measured as a rival is: by {@code tern bench} in processes of its own, one warm-up and one measured
     * run of each test in each.
     *
     * @param command that starts Tern, such as {@code ["/opt/tern/tern"]}
     * @param type of the file's weights, for the result
     */
    public static RivalBench tern(List<String> command, Path file, String type, Workload workload) {
        List<Template> line = new ArrayList<>();
        command.forEach(word -> line.add(Template.literal(word)));
        String bench = "bench -m {model} -t {threads} -p {prompt} -n {generated} -r 1 -o json";
        Stream.of(bench.split(" ")).map(Template::of).forEach(line::add);
        Rival tern = new Rival(
                "Tern " + type,
                type,
                Optional.of(Template.literal(file.toAbsolutePath().toString())),
                List.of(),
                new Rival.Version("", List.of()),
                Optional.empty(),
                Map.of(),
                RivalsReader.LIMIT,
                List.of(new Rival.Run(line, new LlamaBenchReading())),
                "",
                file.toAbsolutePath().getParent());
        return new RivalBench(tern, workload, System.getenv());
    }

    /** With these environment variables for those that the file names. */
    List<RivalBench> benches(Workload workload, Map<String, String> variables) {
        return engines.stream().map(engine -> new RivalBench(engine, workload, variables)).toList();
    }
}
