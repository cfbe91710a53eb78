package dev.tern.cli;

import dev.tern.measure.BenchResult;
import dev.tern.measure.BenchTest;
import dev.tern.measure.Machine;
import dev.tern.measure.MachineLimits;
import dev.tern.measure.ModelBench;
import dev.tern.measure.Roofline;
import dev.tern.measure.Samples;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A test of {@code tern bench} as fields: those of llama-bench that have a meaning here, under its names and in its
 * order, then what only Tern has.
 */
record BenchFields(
        BenchReport.ModelFile model, Build build, Machine machine, Optional<MachineLimits> limits) {

    ObjectNode of(BenchReport.Test test) {
        BenchReport.Setup setup = test.setup();
        BenchResult result = test.result();
        BenchTest work = result.test();
        Samples samples = result.samples();
        ObjectNode object = Json.object();
        object.put("build_commit", build.commit());
        object.put("build_number", 0);
        object.put("cpu_info", machine.cpu());
        object.put("gpu_info", "");
        object.put("backends", setup.kernels());
        object.put("model_filename", model.path().toString());
        object.put("model_type", model.type());
        object.put("model_size", model.bytes());
        object.put("model_n_params", model.parameters());
        object.put("n_batch", setup.batch());
        object.put("n_ubatch", setup.batch());
        object.put("n_threads", setup.threads());
        object.put("type_k", BenchReport.lower(setup.cacheType()));
        object.put("type_v", BenchReport.lower(setup.cacheType()));
        object.put("use_mmap", setup.mapped());
        object.put("n_prompt", work.prompt());
        object.put("n_gen", work.generated());
        object.put("n_depth", work.depth());
        object.put("test_time", result.time().toString());
        object.put("avg_ns", Math.round(samples.meanNanos()));
        object.put("stddev_ns", Math.round(samples.deviationNanos()));
        object.put("avg_ts", samples.meanRate());
        object.put("stddev_ts", samples.deviationRate());
        ArrayNode nanos = object.putArray("samples_ns");
        Arrays.stream(samples.nanos()).forEach(nanos::add);
        ArrayNode rates = object.putArray("samples_ts");
        Arrays.stream(samples.rates()).forEach(rates::add);

        object.put("build_version", "tern " + build.version());
        object.put("test", work.name());
        object.put("layout", setup.layout().map(LayoutOptions::word).orElse(""));
        object.put("pin", setup.pin());
        object.put("screen", BenchReport.lower(setup.screen()));
        object.put("median_ts", samples.medianRate());
        ModelBench.Start start = setup.start();
        object.put("load_ns", start.loadNanos());
        object.put("first_token_ns", start.firstTokenNanos());
        put(object, "process_first_token_ns", start.processNanos());
        put(object, "peak_rss", result.peakBytes());
        object.put("peak_rss_of", start.peakForgotten() ? "setup" : "process");
        object.put("weight_bytes_per_token", setup.work().weightBytes());
        object.put("cache_bytes_per_position", setup.work().cacheBytes());
        limits.ifPresent(measured -> put(object, test.share(measured)));
        result.profile().ifPresent(stages -> StageTable.json(stages, object.putArray("profile")));
        return object;
    }

    /** In 10^9 bytes or operations a second; null where there is no limit to hold the test against. */
    private static void put(ObjectNode object, Optional<Roofline.Share> share) {
        object.put("roofline_bound", share.map(s -> BenchReport.lower(s.bound())).orElse(null));
        object.put("roofline_reached", share.map(Roofline.Share::reached).orElse(null));
        object.put("roofline_limit", share.map(Roofline.Share::limit).orElse(null));
        object.put("roofline_share", share.map(Roofline.Share::share).orElse(null));
    }

    private static void put(ObjectNode object, String name, OptionalLong value) {
        if (value.isPresent()) {
            object.put(name, value.getAsLong());
        } else {
            object.putNull(name);
        }
    }
}
