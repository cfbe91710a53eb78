package dev.tern.lut;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The processor's model, by which measurements that are kept in the cache are known to be of this machine. */
public final class Processor {
    private Processor() {}

    /** What Linux calls it; elsewhere system and architecture. */
    public static String name() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line ->
                            line.startsWith("model name") || line.startsWith("model\t") || line.startsWith("CPU part"))
                    .limit(2)
                    .reduce("", String::concat);
        } catch (IOException e) {
            return System.getProperty("os.name") + System.getProperty("os.arch");
        }
    }
}
