package dev.tern.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** What is said of options that cannot be meant; picocli shows it with the usage of the command. */
record Usage(CommandSpec command) {

    ParameterException error(@Nullable String message) {
        return new ParameterException(command.commandLine(), String.valueOf(message));
    }

    /** Of lengths that are all 0; {@code options} is how they were given, such as {@code -p 0 -n 0}. */
    ParameterException nothingToMeasure(String options) {
        return error(options + " leaves nothing to measure");
    }

    /** The value; refused where it is less. */
    int atLeast(String option, int least, int value) {
        if (value < least) {
            throw error("Invalid value for option '" + option + "': expected at least " + least + ", found " + value);
        }
        return value;
    }

    /** The values; refused where one of them is less. */
    List<Integer> atLeast(String option, int least, List<Integer> values) {
        values.forEach(value -> atLeast(option, least, value.intValue()));
        return values;
    }
}
