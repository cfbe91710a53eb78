package dev.tern.measure.comparison;

/**
 * When, where and by what a comparison was measured.
 *
 * @param time ISO 8601, UTC
 * @param version of Tern
 * @param commit of Tern; empty where the build does not know it
 * @param java version of the virtual machine
 * @param cpu its name
 * @param processors logical processors that Java may use
 * @param memoryBytes physical memory, 0 where unknown
 * @param os name and version
 * @param tier of the kernels
 * @param command the command line that measures it again
 */
public record Origin(
        String time,
        String version,
        String commit,
        String java,
        String cpu,
        int processors,
        long memoryBytes,
        String os,
        String tier,
        String command) {}
