package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.tern;
import static dev.tern.cli.TinyModel.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Checkpoints with random weights, and benchmarks of them. */
class SynthCommandTest {
    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void convert() {
        model = TinyModel.in(folder);
    }

    @Test
    void synthMakesSmallOnesOfEveryKind() {
        Path falcon = folder.resolve("falcon");
        InProcess.Result synth = tern("synth", "--like", "falcon3-7b", "--small", "--layers", "1", "--vocab", "300",
                "-o", falcon);
        assertThat(synth.status()).as(synth.err()).isZero();
        assertThat(synth.out()).contains("falcon: llama, ").contains(", packed, in ");
        JsonNode inspection = json(tern("inspect", falcon, "--json"));
        assertThat(inspection.path("model").path("layers").asInt()).isEqualTo(1);
        assertThat(inspection.path("model").path("vocab_size").asInt()).isEqualTo(300);
        assertThat(inspection.path("model").path("head_dim").asInt()).isEqualTo(256);

        InProcess.Result config = tern("synth", "--config", PACKED.resolve("config.json"), "--small", "-o",
                folder.resolve("no"));
        assertThat(config.status()).isEqualTo(2);
        assertThat(config.err()).contains("--small needs --like");
        InProcess.Result none = tern("synth", "--like", "2b-4t", "--layers", "0", "-o", folder.resolve("no"));
        assertThat(none.status()).isEqualTo(2);
        assertThat(none.err()).contains("'--layers': expected 1 or more, found 0");
        assertThat(tern("synth", "--help").out().replaceAll("\\s+", ""))
                .contains("bitnet_b1_58-large,bitnet_b1_58-3B,Llama3-8B-1.58-100B-tokens,Falcon3-1B");
    }

    @Test
    void synthMakesAModelThatBenchMeasures() throws Exception {
        Path checkpoint = folder.resolve("synthetic");
        InProcess.Result synth = tern("synth", "--config", PACKED.resolve("config.json"), "--format", "packed", "-o", checkpoint);
        assertThat(synth.status()).as(synth.err()).isZero();
        Path file = folder.resolve("synthetic.gguf");
        assertThat(tern("convert", checkpoint, "-o", file).status()).isZero();

        InProcess.Result bench = tern("bench", "-m", file, "-p", "16", "-n", "4", "-t", "1,2", "-r", "2", "-o", "json");
        assertThat(bench.status()).as(bench.err()).isZero();
        JsonNode tests = json(bench);
        assertThat(tests.size()).isEqualTo(4);
        for (JsonNode test : tests) {
            assertThat(test.propertyNames())
                    .contains(
                            "build_commit", "cpu_info", "backends", "model_filename", "model_type", "model_size",
                            "model_n_params", "n_batch", "n_threads", "type_k", "type_v", "use_mmap", "layout", "pin",
                            "screen", "n_prompt", "n_gen", "test_time", "avg_ns", "stddev_ns", "avg_ts", "stddev_ts",
                            "samples_ns", "samples_ts");
            assertThat(test.path("samples_ns").size()).isEqualTo(2);
            int tokens = test.path("n_prompt").asInt() + test.path("n_gen").asInt();
            assertThat(test.path("samples_ts").path(0).asDouble())
                    .isCloseTo(tokens * 1e9 / test.path("samples_ns").path(0).asLong(), within(1e-6));
        }
        assertThat(tests.path(3).path("n_threads").asInt()).isEqualTo(2);
        assertThat(tests.path(3).path("n_gen").asInt()).isEqualTo(4);
        assertThat(tests.path(0).path("model_n_params").asLong()).isEqualTo(14_168_576L);

        List<String> rows = tern("bench", "-m", file, "-p", "8", "-n", "0", "-t", "1", "-r", "1")
                .out().lines().toList();
        assertThat(rows.get(2)).contains("pp8");
        List<String> csv = tern("bench", "-m", file, "-p", "8", "-n", "0", "-t", "1", "-r", "1", "-o", "csv")
                .out().lines().toList();
        assertThat(csv).hasSize(2);
        assertThat(csv.getFirst()).contains("n_prompt").doesNotContain("profile");
    }

    @Test
    void benchShowsWhatTheTimeGoesTo() {
        JsonNode tests = json(tern(
                "bench", "-m", model, "-p", "16", "-n", "4", "-t", "2", "-r", "1", "-b", "8", "--profile",
                "-o", "json"));
        assertThat(tests.size()).isEqualTo(2);
        for (JsonNode test : tests) {
            double shares = 0;
            for (JsonNode stage : test.path("profile")) {
                shares += stage.path("share").asDouble();
                boolean reads = stage.path("bytes").asLong() > 0;
                assertThat(stage.path("gb_s").asDouble() > 0).isEqualTo(reads);
                assertThat(reads)
                        .as(stage.path("stage").asString())
                        .isEqualTo(!List.of("norm, quantize", "waiting").contains(stage.path("stage").asString()));
            }
            assertThat(shares).isCloseTo(1, within(1e-9));
        }
        List<String> rows = tern("bench", "-m", model, "-p", "0", "-n", "4", "-t", "1", "-r", "1", "--profile")
                .out().lines().toList();
        assertThat(rows).anyMatch(row -> row.startsWith("tg4, 1 thread, one run: "));
        assertThat(rows).filteredOn(row -> row.startsWith("| gate, up ")).hasSize(1);
        List<String> csv = tern("bench", "-m", model, "-p", "8", "-n", "0", "-r", "1", "--profile", "-o", "csv")
                .out().lines().toList();
        assertThat(csv).hasSize(2);
        assertThat(csv.getFirst()).endsWith(",profile");
    }
}
