package dev.tern.cli;

import static dev.tern.cli.InProcess.tern;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.measure.Machine;
import dev.tern.measure.MachineLimits;
import dev.tern.measure.rivals.RivalBench;
import dev.tern.measure.rivals.Rivals;
import dev.tern.measure.rivals.Workload;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class RivalsCommandTest {
    private static final String ENGINE = """
            {"engine": "%s", "type": "Q2", "version": "7", %s "runs": [{"command": ["/bin/sh", "-c",
              "echo pp {prompt}.25 tg $0 {model}", "{threads}"],
              "reads": ["pp (?<prefill>[0-9.]+) tg (?<decode>[0-9.]+)"]}]}""";

    @TempDir
    Path folder;

    @Test
    void ternAndOtherEnginesTakeTurnsOnOneFile() throws IOException {
        Path model = folder.resolve("tiny.gguf");
        assertThat(tern("convert", InProcess.PACKED, "-o", model, "--outtype", "tq2_0").status()).isZero();
        Path file = rivals(
                ENGINE.formatted("One", "\"model\": \"{file:tq2_0}\", \"terms\": \"it | only pretends\","),
                ENGINE.formatted("Other file", "\"model\": \"{file:i2_s}\","),
                ENGINE.formatted("Gone", "\"model\": \"${NO_SUCH_VARIABLE}/x\","));

        InProcess.Result result =
                tern("rivals", file, "-m", model, "-p", "16", "-n", "4", "-t", "1,2", "-r", "2", "--no-roofline",
                        "--json");

        assertThat(result.status()).as(result.err() + result.out()).isZero();
        JsonNode json = JsonMapper.shared().readTree(result.out());
        assertThat(json.get("rounds").asInt()).isEqualTo(2);
        assertThat(json.get("notes").toString()).contains("One: it | only pretends");
        JsonNode own = json.get("engines").get(0);
        assertThat(own.get("engine").asString()).isEqualTo("Tern tq2_0");
        assertThat(own.get("file_bytes").asLong()).isEqualTo(Files.size(model));
        assertThat(own.get("speeds").size()).isEqualTo(4);
        for (JsonNode speed : own.get("speeds")) {
            assertThat(speed.get("samples_ts").size()).isEqualTo(2);
            assertThat(speed.get("median_ts").asDouble()).isPositive();
        }
        JsonNode one = json.get("engines").get(1);
        assertThat(one.get("version").asString()).isEqualTo("7");
        assertThat(one.get("file_bytes").asLong()).isEqualTo(Files.size(model));
        assertThat(one.get("speeds").get(0).toString())
                .isEqualTo("{\"test\":\"pp16\",\"n_threads\":1,\"n_prompt\":16,\"n_gen\":0,\"median_ts\":16.25,"
                        + "\"samples_ts\":[16.25,16.25]}");
        assertThat(one.get("speeds").get(3).get("median_ts").asDouble()).isEqualTo(2);
        assertThat(json.get("engines").get(2).get("skipped").asString())
                .isEqualTo("it runs the i2_s file, and there is none in this comparison");
        assertThat(json.get("engines").get(3).get("skipped").asString())
                .isEqualTo("the environment variable NO_SUCH_VARIABLE is not set");
    }

    @Test
    void printsATableWithWhatWasNotMeasuredBelow() throws IOException {
        Path file = rivals(
                ENGINE.formatted("One", "").replace(" {model}", ""),
                ENGINE.formatted("Gone", "").replace(" {model}", "").replace("/bin/sh", "/no/program"));
        InProcess.Result result = tern("rivals", file, "-p", "512", "-n", "8", "-t", "3", "-r", "1", "--no-roofline");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).startsWith("""
                | engine | version | type |  MB | threads | pp512 |  tg8 |
                | ------ | ------- | ---- | --: | ------: | ----: | ---: |
                | One    | 7       | Q2   |     |       3 | 512.3 | 3.00 |

                tokens/s, median (least to most) of 1 round in turns; tern""");
        assertThat(result.out()).endsWith("- Gone: not measured: there is no program /no/program\n");
    }

    @Test
    void whatIsThereAndFailsIsAnExitStatus() throws IOException {
        String failing = ENGINE.formatted("One", "").replace(" {model}", "").replace("echo pp", "echo pq");
        InProcess.Result result = tern("rivals", rivals(failing), "-p", "1", "-n", "1", "-r", "1", "--no-roofline");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.out()).startsWith("- One: not measured: nothing in its output matches pp (?<prefill>");

        InProcess.Result none = tern("rivals", rivals(), "-r", "1");
        assertThat(none.status()).isEqualTo(1);
        assertThat(none.out()).isEmpty();
    }

    @Test
    void refusesWhatMeasuresNothing() throws IOException {
        assertThat(tern("rivals", rivals(), "-p", "0", "-n", "0").status()).isEqualTo(2);
        assertThat(tern("rivals", rivals(), "-t", "0").status()).isEqualTo(2);
        InProcess.Result missing = tern("rivals", folder.resolve("none.json"));
        assertThat(missing.status()).isEqualTo(1);
        assertThat(missing.err()).contains("none.json: no such file");
    }

    @Test
    void theMachinesLimitsStandBesideTheResults() throws IOException {
        MachineLimits before = new MachineLimits(
                List.of(new MachineLimits.Read(2, false, 30.72), new MachineLimits.Read(2, true, 35)),
                List.of(new MachineLimits.Peak("avx2", 2, 640.4)));
        MachineLimits after = new MachineLimits(
                List.of(new MachineLimits.Read(2, true, 34.04)), List.of(new MachineLimits.Peak("avx2", 2, 500)));
        List<RivalBench> benches = Rivals.read(rivals(ENGINE.formatted("One", "").replace(" {model}", "")))
                .benches(new Workload(1, 1, List.of(2), Map.of()));
        RivalsReport report = new RivalsReport(
                Machine.current(), Build.current(), 1, benches, Optional.of(before), Optional.of(after));
        assertThat(report.markdown()).isEqualTo("""
                - memory, 2 threads, pages of 2 MiB: 35.0 GB/s before, 34.0 after
                - 8-bit products, avx2, 2 threads: 640 Gop/s before, 500 after
                """);
        JsonNode json = JsonMapper.shared().readTree(report.json());
        assertThat(json.at("/limits_before/reads/0/gigabytes_per_second").asDouble()).isEqualTo(30.72);
        assertThat(json.at("/limits_after/peaks/0/gigaoperations_per_second").asDouble()).isEqualTo(500);
    }

    @Test
    void theScriptTakesTheFileBesideItWhereNoneIsNamed() throws Exception {
        Path home = Files.createDirectories(folder.resolve("re po/bench/rivals"));
        Path run = Files.copy(InProcess.TESTDATA.resolveSibling("bench/rivals/run"), home.resolve("run"),
                StandardCopyOption.COPY_ATTRIBUTES);
        Path tern = Files.writeString(
                folder.resolve("re po/tern"), "#!/bin/sh\nfor a in \"$@\"; do echo \"$a\"; done\n");
        assertThat(tern.toFile().setExecutable(true)).isTrue();
        String own = home.toRealPath().resolve("rivals.json").toString();
        assertThat(said(run)).containsExactly("rivals", own);
        assertThat(said(run, "-m", "a b.gguf")).containsExactly("rivals", own, "-m", "a b.gguf");
        assertThat(said(run, "mine.json", "-r", "1")).containsExactly("rivals", "mine.json", "-r", "1");
    }

    private static List<String> said(Path script, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(script.toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(out).isZero();
        return out.lines().toList();
    }

    private Path rivals(String... engines) throws IOException {
        return Files.writeString(
                folder.resolve("rivals.json"), "{\"engines\": [" + String.join(",\n", engines) + "]}");
    }
}
