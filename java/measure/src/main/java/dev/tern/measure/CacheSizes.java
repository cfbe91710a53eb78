package dev.tern.measure;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The caches of a machine as Linux lists them in {@code /sys/devices/system/cpu}. */
final class CacheSizes {
    private CacheSizes() {}

    /** Bytes of all caches of the last level together; 0 where the system does not tell. */
    static long lastLevel(Path root) {
        int last = 0;
        Map<String, Long> caches = new HashMap<>(); // of the last level, by the processors that share one
        try (DirectoryStream<Path> cpus =
                Files.newDirectoryStream(root.resolve("sys/devices/system/cpu"), "cpu[0-9]*")) {
            for (Path cpu : cpus) {
                try (DirectoryStream<Path> indices = Files.newDirectoryStream(cpu.resolve("cache"), "index[0-9]*")) {
                    for (Path cache : indices) {
                        int level = Integer.parseInt(line(cache, "level"));
                        if (level < last || line(cache, "type").equals("Instruction")) {
                            continue;
                        }
                        if (level > last) {
                            last = level;
                            caches.clear();
                        }
                        caches.put(line(cache, "shared_cpu_list"), bytes(line(cache, "size")));
                    }
                }
            }
        } catch (IOException | NumberFormatException unknown) {
            return 0;
        }
        return caches.values().stream().mapToLong(Long::longValue).sum();
    }

    private static String line(Path cache, String name) throws IOException {
        return Files.readString(cache.resolve(name)).strip();
    }

    /** Such as {@code 32768K}. */
    private static long bytes(String size) {
        long number = Long.parseLong(size.replaceAll("[KM]$", ""));
        return number << (size.endsWith("K") ? 10 : size.endsWith("M") ? 20 : 0);
    }
}
