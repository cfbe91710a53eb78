package dev.tern.cli;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts Tern in another process as this one was started: the same JVM, flags, modules and ahead-of-time cache. */
final class TernCommand {
    private TernCommand() {}

    /** The command line of {@code tern ARGUMENTS}. */
    static List<String> of(List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(TernCommand::isForEveryProcess)
                .forEach(command::add);
        String modules = System.getProperty("jdk.module.path");
        if (modules == null) {
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), Tern.class.getName()));
        } else {
            command.addAll(List.of("-p", modules, "-m", "dev.tern.cli/" + Tern.class.getName()));
        }
        command.addAll(arguments);
        return command;
    }

    /** Not what names the main class, says who watches this process, or attaches a debugger or a profiler to it. */
    private static boolean isForEveryProcess(String flag) {
        return flag.startsWith("-X")
                || flag.startsWith("--enable-native-access=")
                || flag.startsWith("-D") && !flag.startsWith("-Djdk.module.") && !flag.startsWith("-Dtern.terminal=");
    }
}
