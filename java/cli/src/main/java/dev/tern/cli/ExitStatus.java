package dev.tern.cli;

/** What the process tells its caller. */
final class ExitStatus {
    static final int OK = 0;
    /** The input, or the machine it meets, is at fault. */
    static final int INPUT = 1;
    /** The command line is at fault. */
    static final int USAGE = 2;
    /** Tern is at fault (EX_SOFTWARE of sysexits.h). */
    static final int INTERNAL = 70;
    /** Ctrl-C: 128 + SIGINT, as shells count. */
    static final int INTERRUPTED = 130;

    private ExitStatus() {}
}
