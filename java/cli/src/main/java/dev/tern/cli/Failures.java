package dev.tern.cli;

import dev.tern.codegen.KernelBuildException;
import dev.tern.codegen.KernelPlanException;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelUnavailableException;
import java.io.PrintStream;
import java.nio.file.FileSystemException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into a message for a person and an exit status. Stack traces only with {@code --verbose}. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
    private final Terminal terminal;
    private final Interruption interruption;

    Failures(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine command, @Nullable ParseResult result) {
        return report(e);
    }

    @Override
    public int handleParseException(ParameterException e, String[] args) {
        PrintStream err = terminal.err();
        String command = e.getCommandLine().getCommandSpec().qualifiedName();
        err.println("tern: " + words(e));
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> suggestions = unmatched.getSuggestions();
            if (!suggestions.isEmpty() && suggestions.size() <= 3) {
                err.println("Did you mean: " + String.join(", ", suggestions) + "?");
            }
        }
        err.println("Try '" + command + " --help'.");
        return ExitStatus.USAGE;
    }

    /** picocli's message in the words of people rather than of Java. */
    private static String words(ParameterException e) {
        boolean noCommand = e.getCommandLine().getParent() == null
                && e instanceof UnmatchedArgumentException unmatched
                && !unmatched.isUnknownOption();
        if (noCommand) {
            return "no command is called '" + ((UnmatchedArgumentException) e).getUnmatched().getFirst() + "'";
        }
        return String.valueOf(e.getMessage())
                .replaceFirst("^Error: ", "")
                .replaceFirst(" is not an int$", " is not a whole number up to " + Integer.MAX_VALUE)
                .replaceFirst(" is not a long$", " is not a whole number up to " + Long.MAX_VALUE)
                .replaceFirst(" is not a (float|double)$", " is not a number");
    }

    /** Reports anything thrown and gives the process's exit status. */
    int report(Throwable e) {
        if (e instanceof StandardOutput.Closed) {
            return ExitStatus.OK;
        }
        // While the process ends, temporary files go away under the work: what comes of that is no fault.
        if (e instanceof Interruption.Interrupted || interruption.requested()) {
            return ExitStatus.INTERRUPTED;
        }
        PrintStream err = terminal.err();
        String fault = faultOfInput(e);
        if (fault != null) {
            err.println("tern: " + fault);
            trace(e);
            return ExitStatus.INPUT;
        }
        err.println("tern: " + e);
        err.println(
                terminal.verbose()
                        ? "This is Tern's fault, not yours. The trace below belongs into the bug report."
                        : "This is Tern's fault, not yours. Run it again with --verbose for the trace to report.");
        trace(e);
        return ExitStatus.INTERNAL;
    }

    /** The message for the person whose input or machine is at fault, or null when Tern is. */
    private static @Nullable String faultOfInput(Throwable e) {
        return switch (e) {
            case InputException input -> input.getMessage();
            case KernelUnavailableException kernels -> kernels.getMessage();
            case KernelPlanException plan -> plan.getMessage();
            case KernelBuildException build -> build.getMessage();
            case FileSystemException file ->
                file.getFile() + ": " + (file.getReason() == null ? reasonOf(file) : file.getReason());
            case OutOfMemoryError memory ->
                "out of memory (" + memory.getMessage() + "). Close other programs, shorten the context with -c, or give"
                        + " Java more with TERN_JAVA_OPTS=-Xmx8g.";
            default -> null;
        };
    }

    private static String reasonOf(FileSystemException e) {
        return switch (e) {
            case java.nio.file.NoSuchFileException missing -> "no such file";
            case java.nio.file.AccessDeniedException denied -> "permission denied";
            case java.nio.file.FileAlreadyExistsException exists -> "exists already";
            default -> e.getClass().getSimpleName();
        };
    }

    private void trace(Throwable e) {
        if (terminal.verbose()) {
            e.printStackTrace(terminal.err());
        }
    }
}
