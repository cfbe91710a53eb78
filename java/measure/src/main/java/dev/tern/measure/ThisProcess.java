package dev.tern.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What Linux tells of the process that asks. Where it tells nothing, nothing is returned. */
public final class ThisProcess {
    private static final Path SELF = Path.of("/proc/self");
    private static final long TICK_NANOS = 10_000_000; // USER_HZ is 100 on every architecture that Java runs on

    private static final Pattern MAPPING = Pattern.compile("([0-9a-f]+)-([0-9a-f]+) ");

    private ThisProcess() {}

    /** Most memory that was resident so far, or since {@link #forgetPeak}: {@code VmHWM}, in bytes. */
    public static OptionalLong peakBytes() {
        for (String line : lines(SELF.resolve("status"))) {
            if (line.startsWith("VmHWM:")) {
                return OptionalLong.of(1024 * Long.parseLong(line.replaceAll("\\D", "")));
            }
        }
        return OptionalLong.empty();
    }

    /**
     * Lets {@link #peakBytes} count from what is resident now.
     *
     * @return whether the system can
     */
    public static boolean forgetPeak() {
        try {
            Files.writeString(SELF.resolve("clear_refs"), "5"); // see proc(5)
            return true;
        } catch (IOException | UnsupportedOperationException notThere) {
            return false;
        }
    }

    /** Nanoseconds since the process was started, in hundredths of a second, what started the JVM included. */
    public static OptionalLong ageNanos() {
        List<String> stat = lines(SELF.resolve("stat"));
        List<String> uptime = lines(Path.of("/proc/uptime"));
        if (stat.isEmpty() || uptime.isEmpty()) {
            return OptionalLong.empty();
        }
        return age(stat.getFirst(), uptime.getFirst());
    }

    /**
     * The 22nd field of {@code stat} is when the process was started, in ticks since the system was; the second is its
     * name in parentheses, which may hold anything. {@code uptime} begins with the seconds since then.
     */
    static OptionalLong age(String stat, String uptime) {
        String[] fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ");
        long started = Long.parseLong(fields[22 - 3]) * TICK_NANOS;
        long now = Math.round(Double.parseDouble(uptime.split(" ")[0]) * 100) * TICK_NANOS;
        boolean sameClock = now >= started; // a container may show its own time
        return sameClock ? OptionalLong.of(now - started) : OptionalLong.empty();
    }

    /** Bytes in pages of 2 MiB of the mapping that an address lies in: {@code AnonHugePages} of its smaps. */
    static long largePageBytes(long address) {
        boolean within = false;
        for (String line : lines(SELF.resolve("smaps"))) {
            Matcher mapping = MAPPING.matcher(line);
            if (mapping.lookingAt()) {
                long begin = Long.parseUnsignedLong(mapping.group(1), 16);
                long end = Long.parseUnsignedLong(mapping.group(2), 16);
                within = Long.compareUnsigned(begin, address) <= 0 && Long.compareUnsigned(address, end) < 0;
            } else if (within && line.startsWith("AnonHugePages:")) {
                return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return 0;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException notThere) {
            return List.of();
        }
    }
}
