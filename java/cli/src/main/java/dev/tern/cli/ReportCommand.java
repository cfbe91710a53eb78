package dev.tern.cli;

import dev.tern.io.InputException;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.ComparisonJson;
import dev.tern.measure.report.SvgCharts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tern report}: a comparison that was measured, shown again. */
@Command(
        name = "report",
        description = "Shows what compare measured, from the .json that it wrote: as a page, as Markdown, or its charts"
                + " as SVG files. Measures nothing. Without -o and --charts it prints Markdown.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {"  tern report report.json -o report.html", "  tern report report.json -o formats.md --charts charts/"
        })
final class ReportCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Parameters(paramLabel = "COMPARISON", description = "What `tern compare -o FILE.json` wrote.")
    private Path file = Path.of("");

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Write a report: .html, .md or .json, by its name's end; may be given several times.")
    private List<Path> outputs = new ArrayList<>();

    @Option(
            names = "--charts",
            paramLabel = "DIR",
            description = "Write each chart as an SVG file into this folder, which is made where it is not there.")
    private @Nullable Path charts;

    ReportCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        for (Path output : outputs) {
            ReportFormat.of(output)
                    .orElseThrow(() -> new ParameterException(
                            spec.commandLine(),
                            "Invalid value for option '-o': expected a name that ends in .html, .md or .json, found "
                                    + output));
        }
        Comparison comparison = ComparisonJson.read(file);
        for (Path output : outputs) {
            AtomicText.write(output, ReportFormat.of(output).orElseThrow().text(comparison));
        }
        if (charts != null) {
            write(charts, comparison);
        }
        if (outputs.isEmpty() && charts == null) {
            terminal.out().print(ReportFormat.MARKDOWN.text(comparison));
        }
        return ExitStatus.OK;
    }

    private static void write(Path folder, Comparison comparison) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw InputException.at(folder)
                    .problem("the folder cannot be made", e)
                    .exception(e);
        }
        SvgCharts.of(comparison).forEach((name, svg) -> AtomicText.write(folder.resolve(name), svg));
    }
}
