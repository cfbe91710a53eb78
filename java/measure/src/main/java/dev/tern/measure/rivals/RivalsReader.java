package dev.tern.measure.rivals;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads a rivals file, strictly: what is misspelt must not be taken for left out. */
final class RivalsReader {
    private static final Set<String> FILE_KEYS = Set.of("about", "engines");
    private static final Set<String> ENGINE_KEYS = new TreeSet<>(Set.of(
            "engine", "type", "model", "needs", "version", "directory", "environment", "time_limit_s", "runs",
            "terms"));
    private static final Set<String> RUN_KEYS = new TreeSet<>(Set.of("command", "reads"));
    private static final String LLAMA_BENCH = "llama-bench";
    /** Of a run whose engine has none of its own. */
    static final Duration LIMIT = Duration.ofSeconds(600);

    private static final int MOST_LIMIT_SECONDS = 86_400;
    private static final String SEE = "bench/rivals/README.md describes every field.";

    private final Path file;

    private RivalsReader(Path file) {
        this.file = file;
    }

    static List<Rival> read(Path file) {
        return new RivalsReader(file).engines(JsonFile.read(file));
    }

    private List<Rival> engines(JsonNode root) {
        keys(root, "", FILE_KEYS);
        JsonNode list = root.get("engines");
        if (list == null || !list.isArray()) {
            throw error("engines", "an array of engines", list);
        }
        List<Rival> engines = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < list.size(); i++) {
            Rival engine = engine(list.get(i), "engines[" + i + "]");
            if (!names.add(engine.engine())) {
                throw error("engines[" + i + "].engine", "a name that no other engine has", list.get(i).get("engine"));
            }
            engines.add(engine);
        }
        return engines;
    }

    private Rival engine(JsonNode node, String at) {
        if (!node.isObject()) {
            throw error(at, "an object", node);
        }
        keys(node, at, ENGINE_KEYS);
        Optional<Template> model = optionalPath(node, at, "model");
        List<Rival.Run> runs = runs(node.get("runs"), at + ".runs");
        Map<String, Template> environment = environment(node.get("environment"), at + ".environment");
        boolean runsModel = runs.stream().flatMap(run -> run.command().stream()).anyMatch(text -> text.has("model"))
                || environment.values().stream().anyMatch(text -> text.has("model"));
        if (runsModel && model.isEmpty()) {
            throw error(at + ".model", "a file or folder, since {model} stands in a command", null);
        }
        return new Rival(
                required(node, at, "engine"),
                required(node, at, "type"),
                model,
                needs(node.get("needs"), at + ".needs"),
                version(node.get("version"), at + ".version"),
                optionalPath(node, at, "directory"),
                environment,
                limit(node.get("time_limit_s"), at + ".time_limit_s"),
                runs,
                node.has("terms") ? required(node, at, "terms") : "",
                Optional.ofNullable(file.toAbsolutePath().getParent()).orElse(file));
    }

    private List<Rival.Run> runs(@Nullable JsonNode list, String at) {
        if (list == null || !list.isArray() || list.isEmpty()) {
            throw error(at, "an array with at least one run", list);
        }
        List<Rival.Run> runs = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            JsonNode run = list.get(i);
            String place = at + "[" + i + "]";
            if (!run.isObject()) {
                throw error(place, "an object", run);
            }
            keys(run, place, RUN_KEYS);
            JsonNode command = run.get("command");
            if (command == null || !command.isArray() || command.isEmpty()) {
                throw error(place + ".command", "an array: the program and each of its arguments", command);
            }
            runs.add(new Rival.Run(
                    templates(command, place + ".command"), reading(run.get("reads"), place + ".reads")));
        }
        return runs;
    }

    private Reading reading(@Nullable JsonNode node, String at) {
        if (node != null && node.isString() && node.asString().equals(LLAMA_BENCH)) {
            return new LlamaBenchReading();
        }
        if (node == null || !node.isArray() || node.isEmpty()) {
            throw error(at, "\"" + LLAMA_BENCH + "\", or an array of regular expressions", node);
        }
        List<Pattern> patterns = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            patterns.add(pattern(node.get(i), at + "[" + i + "]"));
        }
        PatternReading reading = new PatternReading(patterns);
        if (!reading.readsPrefill() && !reading.readsDecode()) {
            throw error(at, "a group named prefill, prefillMillis, decode or decodeMillis", node);
        }
        return reading;
    }

    private Pattern pattern(JsonNode node, String at) {
        if (!node.isString()) {
            throw error(at, "a regular expression", node);
        }
        Pattern pattern;
        try {
            pattern = Pattern.compile(node.asString(), Pattern.MULTILINE);
        } catch (PatternSyntaxException e) {
            throw InputException.at(file)
                    .key(at)
                    .problem("not a regular expression: " + e.getDescription())
                    .found("the error at character " + e.getIndex())
                    .cure("Backslashes are doubled in JSON.")
                    .exception(e);
        }
        Set<String> groups = pattern.namedGroups().keySet();
        if (groups.isEmpty() || !PatternReading.GROUPS.containsAll(groups)) {
            throw error(at, "named groups (?<...>) out of " + String.join(", ", PatternReading.GROUPS), node);
        }
        return pattern;
    }

    private Rival.Version version(@Nullable JsonNode node, String at) {
        if (node == null) {
            return new Rival.Version("", List.of());
        }
        if (node.isString()) {
            return new Rival.Version(node.asString().strip(), List.of());
        }
        if (!node.isArray() || node.isEmpty()) {
            throw error(at, "a text, or an array: a program that prints it and each of its arguments", node);
        }
        return new Rival.Version("", paths(node, at));
    }

    private List<Template> needs(@Nullable JsonNode node, String at) {
        if (node != null && !node.isArray()) {
            throw error(at, "an array of files", node);
        }
        return node == null ? List.of() : paths(node, at);
    }

    private Map<String, Template> environment(@Nullable JsonNode node, String at) {
        if (node != null && !node.isObject()) {
            throw error(at, "an object of variables", node);
        }
        Map<String, Template> environment = new LinkedHashMap<>();
        if (node != null) {
            node.properties().forEach(entry -> {
                String name = entry.getKey();
                if (name.isEmpty() || name.indexOf('=') >= 0 || name.indexOf('\0') >= 0) {
                    throw error(at, "names of variables", node);
                }
                environment.put(name, template(entry.getValue(), at + "." + name));
            });
        }
        return environment;
    }

    private Duration limit(@Nullable JsonNode node, String at) {
        if (node == null) {
            return LIMIT;
        }
        if (!node.isInt() || node.asInt() < 1 || node.asInt() > MOST_LIMIT_SECONDS) {
            throw error(at, "whole seconds, 1 to " + MOST_LIMIT_SECONDS, node);
        }
        return Duration.ofSeconds(node.asInt());
    }

    private Optional<Template> optionalPath(JsonNode node, String at, String key) {
        JsonNode value = node.get(key);
        return value == null ? Optional.empty() : Optional.of(path(value, at + "." + key));
    }

    private List<Template> paths(JsonNode list, String at) {
        List<Template> templates = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            templates.add(path(list.get(i), at + "[" + i + "]"));
        }
        return templates;
    }

    /** Something that is the same for all runs. */
    private Template path(JsonNode node, String at) {
        Template template = template(node, at);
        if (template.ofRun()) {
            throw error(at, "only {here}, {file:OUTTYPE} and ${VARIABLE} here", node);
        }
        return template;
    }

    private List<Template> templates(JsonNode list, String at) {
        List<Template> templates = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            templates.add(template(list.get(i), at + "[" + i + "]"));
        }
        return templates;
    }

    private Template template(JsonNode node, String at) {
        if (!node.isString() || node.asString().indexOf('\0') >= 0) {
            throw error(at, "a text", node);
        }
        try {
            return Template.of(node.asString());
        } catch (IllegalArgumentException unknown) {
            throw InputException.at(file)
                    .key(at)
                    .problem("'" + unknown.getMessage() + "' stands for nothing")
                    .expected(Template.PLACES)
                    .exception();
        }
    }

    private String required(JsonNode node, String at, String key) {
        JsonNode value = node.get(key);
        if (value == null || !value.isString() || value.asString().isBlank()) {
            throw error(at + "." + key, "a text", value);
        }
        return value.asString().strip();
    }

    private void keys(JsonNode node, String at, Set<String> known) {
        for (String key : node.propertyNames()) {
            if (!known.contains(key)) {
                throw InputException.at(file)
                        .key(at.isEmpty() ? key : at + "." + key)
                        .problem("there is no such field")
                        .expected(String.join(", ", new TreeSet<>(known)))
                        .cure(SEE)
                        .exception();
            }
        }
    }

    private InputException error(String at, String expected, @Nullable JsonNode found) {
        return InputException.at(file)
                .key(at)
                .expected(expected)
                .found(JsonFile.shown(found))
                .cure(SEE)
                .exception();
    }
}
