package dev.tern.measure.rivals;

import dev.tern.model.Processors;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A rival as it lies on this machine: its programs, its model, its other files. */
final class Installation {
    private static final int BLOCK = 1 << 20;

    private final Rival rival;
    private final Workload workload;
    private final Map<String, String> variables;
    private Optional<Path> model = Optional.empty();
    private Optional<Path> folder = Optional.empty();
    private List<Path> modelFiles = List.of();

    Installation(Rival rival, Workload workload, Map<String, String> variables) {
        this.rival = rival;
        this.workload = workload;
        this.variables = Map.copyOf(variables);
    }

    /** Finds everything that a run takes, without running anything. */
    void check() throws RivalFailure {
        Places places = new Places(workload.threads().getFirst());
        if (rival.folder().isPresent()) {
            Path path = path(rival.folder().get().fill(places));
            if (!Files.isDirectory(path)) {
                throw new RivalFailure("there is no folder " + path);
            }
            folder = Optional.of(path);
        }
        if (rival.model().isPresent()) {
            Path path = path(rival.model().get().fill(places));
            if (!Files.isReadable(path)) {
                throw new RivalFailure("there is no model " + path);
            }
            model = Optional.of(path);
            modelFiles = files(path);
        }
        for (Template need : rival.needs()) {
            Path path = path(need.fill(places));
            if (!Files.isReadable(path)) {
                throw new RivalFailure("there is no file " + path);
            }
        }
        for (Rival.Run run : rival.runs()) {
            program(Template.fill(run.command(), places).getFirst());
        }
        environment(places);
    }

    private static List<Path> files(Path model) throws RivalFailure {
        try (Stream<Path> all = Files.walk(model)) {
            return all.filter(Files::isRegularFile).filter(Files::isReadable).toList();
        } catch (IOException | UncheckedIOException e) {
            throw new RivalFailure("its model " + model + " cannot be read: " + e.getMessage());
        }
    }

    /** A path, from the folder of this process where it is not absolute. */
    private static Path path(String text) throws RivalFailure {
        return path(Path.of(""), text);
    }

    private static Path path(Path folder, String text) throws RivalFailure {
        try {
            return folder.resolve(text).toAbsolutePath().normalize();
        } catch (InvalidPathException e) {
            throw new RivalFailure("'" + text + "' is no path");
        }
    }

    /** With a separator it is a path, from the folder that it runs in; without one it is looked for on the PATH. */
    private void program(String name) throws RivalFailure {
        if (name.indexOf('/') >= 0 || name.indexOf(File.separatorChar) >= 0) {
            Path path = path(folder.orElse(Path.of("")), name);
            if (!Files.isRegularFile(path)) {
                throw new RivalFailure("there is no program " + path);
            }
            if (!Files.isExecutable(path)) {
                throw new RivalFailure(path + " cannot be executed");
            }
            return;
        }
        for (String place : variables.getOrDefault("PATH", "").split(File.pathSeparator)) {
            Path path = path(place.isEmpty() ? "." : place).resolve(name);
            if (Files.isRegularFile(path) && Files.isExecutable(path)) {
                return;
            }
        }
        throw new RivalFailure("there is no program '" + name + "' on the PATH");
    }

    private Map<String, String> environment(Places places) throws RivalFailure {
        Map<String, String> environment = new LinkedHashMap<>();
        for (Map.Entry<String, Template> entry : rival.environment().entrySet()) {
            environment.put(entry.getKey(), entry.getValue().fill(places));
        }
        return environment;
    }

    ProcessOutput run(List<Template> command, int threads, Duration limit) throws RivalFailure, InterruptedException {
        Places places = new Places(threads);
        return BoundedProcess.run(Template.fill(command, places), environment(places), folder, limit);
    }

    /**
     * Reads the model once, so that it lies in the page cache: after the turn of another engine, with another model, it
     * may not any more.
     */
    void warm() throws RivalFailure {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        for (Path file : modelFiles) {
            try (FileChannel channel = FileChannel.open(file)) {
                while (channel.read(block.clear()) >= 0) {
                    // only that it was read counts
                }
            } catch (IOException e) {
                throw new RivalFailure("its model " + file + " cannot be read: " + e.getMessage());
            }
        }
    }


    /** Bytes of the model's files, 0 where it has none. */
    long modelBytes() {
        long bytes = 0;
        for (Path file : modelFiles) {
            try {
                bytes += Files.size(file);
            } catch (IOException gone) {
                return 0;
            }
        }
        return bytes;
    }

    /** What fills the places of a command for so many threads. */
    private final class Places implements Template.Values {
        /** Each a token to published tokenizers, and a syllable, and so a token, to a synthetic checkpoint's. */
        private static final List<String> WORDS = List.of("so", "we", "go", "to", "me", "he", "do", "be", "no");

        private final int threads;

        Places(int threads) {
            this.threads = threads;
        }

        @Override
        public String variable(String name) throws RivalFailure {
            String value = variables.getOrDefault(name, "");
            if (value.isBlank()) {
                throw new RivalFailure("the environment variable " + name + " is not set");
            }
            return value;
        }

        @Override
        public int number(String name) {
            return switch (name) {
                case "threads" -> threads;
                case "prompt" -> workload.prompt();
                case "generated" -> workload.generated();
                default -> throw new IllegalArgumentException(name);
            };
        }

        @Override
        public String text(String name) throws RivalFailure {
            return switch (name) {
                case "model" -> model.orElseThrow().toString();
                case "here" -> rival.home().toString();
                case "words" -> Stream.iterate(0, i -> i + 1)
                        .limit(workload.prompt())
                        .map(i -> WORDS.get(i % WORDS.size()))
                        .collect(Collectors.joining(" "));
                case "processors" -> Processors.current().order().stream()
                        .limit(threads)
                        .map(String::valueOf)
                        .collect(Collectors.joining(","));
                default -> file(name.substring("file:".length()));
            };
        }

        private String file(String outtype) throws RivalFailure {
            Path path = workload.files().get(outtype);
            if (path == null) {
                throw new RivalFailure("it runs the " + outtype + " file, and there is none in this comparison");
            }
            return path.toAbsolutePath().toString();
        }
    }
}
