package dev.tern.cli;

import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.LibraryStatus;
import dev.tern.kernels.LutPath;
import dev.tern.kernels.Tier;
import dev.tern.measure.Machine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code tern doctor}: what is there, what is missing, how to get it. */
@Command(
        name = "doctor",
        description = "Shows machine, JDK, compiler and native kernels; what is missing, and how to get it.",
        mixinStandardHelpOptions = true,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExample:%n",
        footer = "  tern doctor --json")
final class DoctorCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    DoctorCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    /**
     * What was found.
     *
     * @param tiers what came of running them
     * @param advice what is missing and how to get it, a sentence or two each; empty when all is well
     */
    private record Findings(
            Build build,
            Machine machine,
            Optional<Tool> cmake,
            Optional<Tool> compiler,
            Optional<Tool> maven,
            LibraryStatus library,
            TierFindings tiers,
            LutFindings lut,
            List<String> advice) {}

    @Override
    public Integer call() throws InterruptedException {
        Findings findings = examine();
        if (json) {
            terminal.out().print(Json.document(toJson(findings)));
        } else {
            print(findings);
        }
        boolean withoutNative = findings.library().active() == Tier.JAVA;
        return terminal.requireNative() && withoutNative ? ExitStatus.INPUT : ExitStatus.OK;
    }

    private static Findings examine() throws InterruptedException {
        Machine machine = Machine.current();
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        Optional<Tool> cmake = Tool.find(path, List.of("cmake"));
        Optional<Tool> compiler = Tool.find(path, List.of("cc", "gcc", "clang"));
        Optional<Tool> maven = Tool.find(path, List.of("mvn"));
        LibraryStatus library = KernelChoice.status();
        TierFindings tiers = TierFindings.examine(library);
        LutFindings lut = LutFindings.examine();

        List<String> advice = new ArrayList<>();
        library.failure().ifPresent(reason -> advice.add(sentence(reason)));
        tiers.advice().ifPresent(advice::add);
        lut.fault().filter(reason -> library.failure().isEmpty()).ifPresent(reason -> advice.add(sentence(reason)));
        lut.damaged().forEach(kernels -> kernels.damage().ifPresent(reason -> advice.add(sentence(reason))));
        Set<String> words = machine.distribution();
        if (cmake.isEmpty()) {
            advice.add("cmake is missing; building the native kernels needs it. Install it: "
                    + install(words, "cmake", "cmake", "cmake") + ".");
        }
        if (compiler.isEmpty()) {
            advice.add("A C compiler is missing; building the native kernels needs it. Install one: "
                    + install(words, "gcc", "gcc", "gcc") + ".");
        }
        if (maven.isEmpty()) {
            advice.add("Maven (mvn) is missing; building Tern needs it. Install it: "
                    + install(words, "maven", "maven", "maven") + ".");
        }
        if (machine.hugePages().equals("never")) {
            advice.add("Transparent huge pages are off. Weights in 2 MiB pages are read about a quarter faster: "
                    + "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled");
        }
        return new Findings(Build.current(), machine, cmake, compiler, maven, library, tiers, lut, advice);
    }

    private static String install(Set<String> distribution, String debian, String fedora, String brew) {
        if (distribution.contains("debian") || distribution.contains("ubuntu")) {
            return "sudo apt install " + debian;
        }
        if (distribution.contains("fedora") || distribution.contains("rhel")) {
            return "sudo dnf install " + fedora;
        }
        if (System.getProperty("os.name").startsWith("Mac")) {
            return "brew install " + brew;
        }
        return "with your system's package manager, package '" + debian + "'";
    }

    private static String sentence(String text) {
        return text.endsWith(".") ? text : text + ".";
    }

    private void print(Findings f) {
        Machine m = f.machine();
        heading("Tern");
        row("version", f.build().version() + (f.build().commit().isEmpty() ? "" : " (" + f.build().commit() + ")"));
        row("Java", Runtime.version() + ", " + System.getProperty("java.vendor"));
        row("", System.getProperty("java.home"));
        heading("Machine");
        row("system", m.os() + ", " + m.arch());
        row("CPU", m.cpu());
        row("processors", Integer.toString(m.processors()));
        row("features", m.features().isEmpty() ? "none of those that matter here" : String.join(" ", m.features()));
        row("memory", memory(m));
        row("huge pages", "transparent: " + m.hugePages());
        heading("Native kernels");
        row("in use", f.library().active().label());
        row("library", f.library().path().map(Path::toString).orElse("none"));
        row("origin", origin(f.library().origin()));
        f.library().abiVersion().ifPresent(version -> row("ABI", "version " + version));
        f.tiers().proofs().forEach(proof -> row(proof.tier().label(), TierFindings.text(proof)));
        f.library().cappedBy().ifPresent(cap -> row("held back", cap));
        heading("Look-up-table kernels (tl1, tl2)");
        row("libtern", libtern(f.lut()));
        row("built", built(f.lut()));
        row("others", f.cmake().isPresent() && f.compiler().isPresent()
                ? "are built when a model needs them"
                : "cannot be built: " + (f.cmake().isEmpty() ? "cmake" : "a C compiler") + " is missing");
        heading("To build them");
        tool("cmake", f.cmake());
        tool("C compiler", f.compiler());
        tool("Maven", f.maven());
        heading(f.advice().isEmpty() ? "All is well." : "What to do");
        f.advice().forEach(advice -> terminal.out().println(Wrap.indented("  - ", advice, Terminal.WIDTH)));
    }

    private static String libtern(LutFindings lut) {
        return lut.paths().isEmpty()
                ? "none"
                : lut.shapes() + " shapes, "
                        + lut.paths().stream().map(LutPath::label).collect(Collectors.joining(" and "));
    }

    private static String built(LutFindings lut) {
        if (lut.cache().isEmpty()) {
            return "none: there is no cache";
        }
        int damaged = lut.damaged().size();
        return lut.built().size() + " in " + lut.cache().get() + (damaged == 0 ? "" : ", " + damaged + " of them damaged");
    }

    private void heading(String text) {
        terminal.out().println(text);
    }

    private void row(String name, String value) {
        String label = String.format(Locale.ROOT, "  %-12s", name);
        terminal.out().println(Wrap.indented(label, value, Terminal.WIDTH));
    }

    private void tool(String name, Optional<Tool> tool) {
        row(name, tool.map(found -> found.version() + " (" + found.path() + ")").orElse("missing"));
    }

    private static String memory(Machine m) {
        String text = gibibytes(m.memoryBytes()) + " GiB, " + gibibytes(m.availableBytes()) + " GiB available";
        return m.memoryLimitBytes().isEmpty()
                ? text
                : text + ", limited to " + gibibytes(m.memoryLimitBytes()) + " GiB by the control group";
    }

    private static String gibibytes(OptionalLong bytes) {
        return bytes.isEmpty() ? "?" : String.format(Locale.ROOT, "%.1f", bytes.getAsLong() / (double) (1L << 30));
    }

    private static String origin(LibraryStatus.Origin origin) {
        return switch (origin) {
            case PACKAGED -> "packed into the jar";
            case NAMED -> "named by TERN_LIBRARY";
            case OFF -> "switched off by TERN_NATIVE=off";
        };
    }

    private static ObjectNode toJson(Findings f) {
        ObjectNode root = Json.object();
        root.put("version", f.build().version()).put("commit", f.build().commit());
        root.putObject("java")
                .put("version", Runtime.version().toString())
                .put("vendor", System.getProperty("java.vendor"))
                .put("home", System.getProperty("java.home"));
        Machine m = f.machine();
        ObjectNode machine = root.putObject("machine");
        machine.put("os", m.os()).put("arch", m.arch()).put("cpu", m.cpu()).put("processors", m.processors());
        ArrayNode features = machine.putArray("features");
        m.features().forEach(features::add);
        m.memoryBytes().ifPresent(bytes -> machine.put("memory_bytes", bytes));
        m.availableBytes().ifPresent(bytes -> machine.put("available_bytes", bytes));
        m.memoryLimitBytes().ifPresent(bytes -> machine.put("memory_limit_bytes", bytes));
        machine.put("transparent_huge_pages", m.hugePages());
        LibraryStatus library = f.library();
        ObjectNode kernels = root.putObject("kernels");
        kernels.put("active", library.active().label());
        kernels.put("library", library.path().map(Path::toString).orElse(null));
        kernels.put("origin", library.origin().name().toLowerCase(Locale.ROOT));
        kernels.put("abi_version", library.abiVersion().orElse(null));
        kernels.put("abi_hash", library.abiHash().orElse(null));
        f.tiers().toJson(kernels.putArray("tiers"));
        kernels.put("capped_by", library.cappedBy().orElse(null));
        kernels.put("failure", library.failure().orElse(null));
        ObjectNode lut = root.putObject("look_up_table_kernels");
        ArrayNode paths = lut.putArray("paths");
        f.lut().paths().forEach(path -> paths.add(path.label()));
        lut.put("shapes", f.lut().shapes());
        lut.put("cache", f.lut().cache().map(Path::toString).orElse(null));
        lut.put("built", f.lut().built().size());
        ArrayNode damaged = lut.putArray("damaged");
        f.lut().damaged().forEach(built -> damaged.add(built.folder().toString()));
        lut.put("fault", f.lut().fault().orElse(null));
        ObjectNode tools = root.putObject("tools");
        tool(tools, "cmake", f.cmake());
        tool(tools, "c_compiler", f.compiler());
        tool(tools, "maven", f.maven());
        ArrayNode advice = root.putArray("advice");
        f.advice().forEach(advice::add);
        return root;
    }

    private static void tool(ObjectNode tools, String key, Optional<Tool> tool) {
        if (tool.isEmpty()) {
            tools.putNull(key);
        } else {
            tools.putObject(key)
                    .put("path", tool.get().path().toString())
                    .put("version", tool.get().version());
        }
    }
}
