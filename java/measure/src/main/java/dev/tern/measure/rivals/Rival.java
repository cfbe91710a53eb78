package dev.tern.measure.rivals;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An engine and how to run it, as a rivals file describes it (docs: {@code bench/rivals/README.md}).
 *
 * @param engine its name in a report
 * @param type of the weights it runs
 * @param model its model: a file or a folder
 * @param needs further files that it must find
 * @param version what tells its version: a command, or the version itself
 * @param folder to run in
 * @param environment of its processes, in addition
 * @param timeLimit of one run
 * @param runs the processes that one measurement takes
 * @param terms what is not equal, in words; empty where all is
 * @param home the folder of the rivals file
 */
record Rival(
        String engine,
        String type,
        Optional<Template> model,
        List<Template> needs,
        Version version,
        Optional<Template> folder,
        Map<String, Template> environment,
        Duration timeLimit,
        List<Run> runs,
        String terms,
        Path home) {

    /**
     * One process.
     *
     * @param command the program and its arguments
     * @param reading of its output
     */
    record Run(List<Template> command, Reading reading) {
        Run {
            command = List.copyOf(command);
        }
    }

    /**
     * How the version is known.
     *
     * @param text itself; empty where the command or the output tells it
     * @param command whose first line it is; empty for none
     */
    record Version(String text, List<Template> command) {
        Version {
            command = List.copyOf(command);
        }
    }

    Rival {
        needs = List.copyOf(needs);
        environment = Map.copyOf(environment);
        runs = List.copyOf(runs);
    }
}
