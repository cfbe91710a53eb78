package dev.tern.cli;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.kernels.FloatType;
import dev.tern.model.PassProfile;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The results of {@code tern bench}, printed as llama-bench prints its own. */
final class BenchReport {
    private final ModelFile model;
    private final Build build;
    private final Machine machine;
    private final List<Test> tests = new ArrayList<>();

    /** How to print. The names are the option's words. */
    enum Format {
        md,
        json,
        csv
    }

    /**
     * The model as its file describes it.
     *
     * @param type architecture and the type of most weights of its blocks
     * @param bytes size of all tensors
     * @param parameters number of weights
     */
    record ModelFile(Path path, String type, long bytes, long parameters) {

        static ModelFile of(Path path) {
            try (GgufFile file = GgufFile.open(path)) {
                long bytes = 0;
                long parameters = 0;
                Map<GgmlType, Long> ofBlocks = new EnumMap<>(GgmlType.class);
                for (GgufTensor tensor : file.tensors()) {
                    long count = LongStream.of(tensor.dims()).reduce(1, Math::multiplyExact);
                    bytes = Math.addExact(bytes, tensor.byteSize());
                    parameters = Math.addExact(parameters, count);
                    if (tensor.name().startsWith("blk.")) {
                        ofBlocks.merge(tensor.type(), count, Long::sum);
                    }
                }
                String type = ofBlocks.entrySet().stream()
                        .max(Map.Entry.comparingByValue())
                        .map(entry -> " " + entry.getKey())
                        .orElse("");
                return new ModelFile(path, file.requireString("general.architecture") + type, bytes, parameters);
            }
        }
    }

    /**
     * One test: a prompt processed, or tokens generated; the other number is 0.
     *
     * @param tier who computed
     * @param profile of a further run, when asked for
     */
    record Test(
            int prompt,
            int generated,
            int threads,
            int batch,
            FloatType cacheType,
            String tier,
            Instant time,
            Samples samples,
            @Nullable PassProfile profile) {
        String name() {
            return prompt > 0 ? "pp" + prompt : "tg" + generated;
        }
    }

    BenchReport(ModelFile model, Build build, Machine machine) {
        this.model = model;
        this.build = build;
        this.machine = machine;
    }

    void add(Test test) {
        tests.add(test);
    }

    String text(Format format) {
        return switch (format) {
            case md -> markdown();
            case json -> json();
            case csv -> csv();
        };
    }

    private String markdown() {
        String row = "| %-24s | %10s | %10s | %-8s | %7s | %8s | %18s | %9s |%n";
        StringBuilder text = new StringBuilder();
        text.append(String.format(row, "model", "size", "params", "backend", "threads", "test", "t/s", "median"));
        text.append("| ------------------------ | ---------: | ---------: | -------- | ------: | -------: |"
                + " -----------------: | --------: |\n");
        for (Test test : tests) {
            Samples samples = test.samples();
            text.append(String.format(
                    Locale.ROOT,
                    row,
                    model.type(),
                    Sizes.binary(model.bytes()),
                    Sizes.count(model.parameters()),
                    test.tier(),
                    test.threads(),
                    test.name(),
                    String.format(Locale.ROOT, "%.2f \u00b1 %.2f", samples.meanRate(), samples.deviationRate()),
                    String.format(Locale.ROOT, "%.2f", samples.medianRate())));
        }
        for (Test test : tests) {
            PassProfile profile = test.profile();
            if (profile != null) {
                text.append(StageTable.markdown(test.name(), profile));
            }
        }
        text.append("\nbuild: tern ").append(build.version());
        if (!build.commit().isEmpty()) {
            text.append(" (").append(build.commit()).append(')');
        }
        return text.append("; ").append(machine.cpu()).append('\n').toString();
    }

    private String json() {
        ArrayNode array = Json.array();
        tests.forEach(test -> array.add(fields(test)));
        return Json.document(array);
    }

    private String csv() {
        StringBuilder text = new StringBuilder();
        for (Test test : tests) {
            ObjectNode fields = fields(test);
            if (text.isEmpty()) {
                text.append(String.join(",", fields.propertyNames())).append('\n');
            }
            text.append(fields.values().stream().map(BenchReport::cell).collect(Collectors.joining(",")))
                    .append('\n');
        }
        return text.toString();
    }

    private static String cell(JsonNode value) {
        String plain = value.isString() ? value.asString() : value.toString();
        return '"' + plain.replace("\"", "\"\"") + '"';
    }

    /** The fields of llama-bench that have a meaning here, under its names and in its order. */
    private ObjectNode fields(Test test) {
        Samples samples = test.samples();
        ObjectNode object = Json.object();
        object.put("build_commit", build.commit());
        object.put("build_number", 0);
        object.put("build_version", "tern " + build.version());
        object.put("cpu_info", machine.cpu());
        object.put("gpu_info", "");
        object.put("backends", test.tier());
        object.put("model_filename", model.path().toString());
        object.put("model_type", model.type());
        object.put("model_size", model.bytes());
        object.put("model_n_params", model.parameters());
        object.put("n_batch", test.batch());
        object.put("n_ubatch", test.batch());
        object.put("n_threads", test.threads());
        object.put("type_k", test.cacheType().name().toLowerCase(Locale.ROOT));
        object.put("type_v", test.cacheType().name().toLowerCase(Locale.ROOT));
        object.put("n_prompt", test.prompt());
        object.put("n_gen", test.generated());
        object.put("n_depth", 0);
        object.put("test_time", test.time().toString());
        object.put("avg_ns", Math.round(samples.meanNanos()));
        object.put("stddev_ns", Math.round(samples.deviationNanos()));
        object.put("avg_ts", samples.meanRate());
        object.put("stddev_ts", samples.deviationRate());
        object.put("median_ts", samples.medianRate());
        ArrayNode nanos = object.putArray("samples_ns");
        Arrays.stream(samples.nanos()).forEach(nanos::add);
        ArrayNode rates = object.putArray("samples_ts");
        Arrays.stream(samples.rates()).forEach(rates::add);
        PassProfile profile = test.profile();
        if (profile != null) {
            StageTable.json(profile, object.putArray("profile"));
        }
        return object;
    }
}
