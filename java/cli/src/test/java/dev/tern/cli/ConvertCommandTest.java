package dev.tern.cli;

import static dev.tern.cli.InProcess.ONLINE;
import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.TESTDATA;
import static dev.tern.cli.InProcess.tern;
import static dev.tern.cli.TinyModel.FOX;
import static dev.tern.cli.TinyModel.JSON;
import static dev.tern.cli.TinyModel.fable;
import static dev.tern.cli.TinyModel.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Conversions of the trained model, and what is reported of them. */
class ConvertCommandTest {
    @TempDir
    static Path folder;

    private static Path model;
    private static InProcess.Result conversion;

    @BeforeAll
    static void convert() {
        model = folder.resolve("tiny.gguf");
        conversion = tern("convert", PACKED, "-o", model, "--outtype", "i2_s", "--validate", "--json");
    }

    @Test
    void autoSaysWhatItChoseAndForWhom() {
        InProcess.Result result = tern("convert", PACKED, "--dry-run", "--json");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.err()).contains("outtype auto: tq1_0; read by Tern, llama.cpp and bitnet.cpp");
        assertThat(json(result).path("outtype").asString()).isEqualTo("tq1_0");
        assertThat(json(result).path("embedding_type").asString()).isEqualTo("f16");
    }

    @Test
    void aGgufFileIsASourceToo() {
        Path back = folder.resolve("back.gguf");
        InProcess.Result result =
                tern("convert", model, "-o", back, "--outtype", "tq2_0", "--threads", "2", "--validate", "--json");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(json(result).path("format").asString()).isEqualTo("gguf");
        assertThat(json(result).path("validation").path("ok").asBoolean()).isTrue();
        assertThat(tern("validate", back, "--against", model).status()).isZero();
        assertThat(tern("convert", model, "-o", back, "--threads", "0").status()).isEqualTo(2);
    }

    /** What is written to a file is the whole report, T's hashes too, whatever is printed. */
    @Test
    void aReportOfAConversionIsTheSameInAFile() throws Exception {
        Path file = folder.resolve("report.json");
        InProcess.Result result =
                tern("convert", PACKED, "-o", folder.resolve("again.gguf"), "--outtype", "i2_s", "--report", file);
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).doesNotStartWith("{");
        JsonNode report = JsonMapper.builder().build().readTree(Files.readString(file));
        assertThat(report.path("sha256").asString()).isEqualTo(sha256(model));
        assertThat(report.path("tensors").findValuesAsString("sha256"))
                .hasSize(28)
                .allMatch(hash -> hash.matches("[0-9a-f]{64}"))
                .isEqualTo(json(conversion).path("tensors").findValuesAsString("sha256"));

        InProcess.Result plan = tern("convert", PACKED, "--dry-run", "--json", "--report", file);
        assertThat(plan.status()).as(plan.err()).isZero();
        assertThat(Files.readString(file)).isEqualTo(plan.out()).contains("\"outtype\"");
    }

    @Test
    void convertReportsWhatItWrote() throws Exception {
        assertThat(conversion.status()).as(conversion.err()).isZero();
        JsonNode report = json(conversion);
        assertThat(report.path("outtype").asString()).isEqualTo("i2_s");
        assertThat(report.path("format").asString()).isEqualTo("packed");
        assertThat(report.path("file_bytes").asLong()).isEqualTo(Files.size(model));
        assertThat(report.path("sha256").asString()).isEqualTo(sha256(model));
        assertThat(report.path("validation").path("ok").asBoolean()).isTrue();
        assertThat(report.path("validation").path("ternary_tensors").asInt()).isEqualTo(28);

        JsonNode golden = JSON.readTree(TESTDATA.resolve("golden/ternary_stats.json")).path("packed-u8");
        int compared = 0;
        for (JsonNode tensor : report.path("tensors")) {
            JsonNode expected = golden.path(tensor.path("source").asString());
            if (!expected.isMissingNode()) {
                assertThat(tensor.path("sha256").asString()).isEqualTo(expected.path("ternary_sha256").asString());
                assertThat(tensor.path("minus").asLong()).isEqualTo(expected.path("neg").asLong());
                assertThat(tensor.path("zero").asLong()).isEqualTo(expected.path("zero").asLong());
                assertThat((float) tensor.path("stored_scale").asDouble())
                        .isEqualTo((float) expected.path("scale").asDouble());
                compared++;
            }
        }
        assertThat(compared).isEqualTo(28);
    }

    @ParameterizedTest
    @CsvSource({
        "tq1_0, f16", "tq2_0, f16", "tl1, f16", "tl2, f16", "q2_k, q6_k", "q4_0, q8_0", "q8_0, f32", "bf16, bf16"
    })
    void everyOuttypeIsSmallEnoughValidAndRuns(String outtype, String embedding) {
        Path file = folder.resolve("tiny-" + outtype + ".gguf");
        InProcess.Result plan = tern(
                "convert", ONLINE, "--outtype", outtype, "--embedding-type", embedding, "--dry-run", "--json");
        assertThat(plan.status()).as(plan.err()).isZero();
        assertThat(file).doesNotExist();

        InProcess.Result result =
                tern("convert", ONLINE, "-o", file, "--outtype", outtype, "--embedding-type", embedding);
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(file).hasSize(json(plan).path("file_bytes").asLong());
        assertThat(result.out()).contains(outtype).contains("online").contains("sha256 ");

        InProcess.Result validation = tern("validate", file, "--against", ONLINE);
        assertThat(validation.status()).as(validation.err()).isZero();
        assertThat(validation.out()).startsWith("valid: 28 ternary tensors");
        assertThat(tern("run", "-m", file, "--chat", "-p", FOX, "--temp", "0", "-q").out())
                .isEqualTo(fable("The Fox and the Grapes") + "\n");
    }

    @Test
    void tilesOfAKernelConfigAreUsedAndShown() throws Exception {
        StringBuilder text = new StringBuilder();
        for (String shape : List.of("512 512", "128 512", "1536 512", "512 1536")) {
            String[] mk = shape.split(" ");
            text.append("[Kernels_").append(text.length()).append("]\nm = ").append(mk[0]);
            text.append("\nk = ").append(mk[1]).append("\nbm = 64\nbk = 96\nbmm = 32\n\n");
        }
        Path ini = Files.writeString(folder.resolve("kernel_config.ini"), text);
        Path file = folder.resolve("tiny-tiles.gguf");
        JsonNode report =
                json(tern("convert", PACKED, "-o", file, "--outtype", "tl2", "--kernel-config", ini, "--json"));
        assertThat(report.path("tiles").size()).isEqualTo(4);
        assertThat(report.path("tiles").path(3).toString())
                .isEqualTo("{\"format\":\"tl2\",\"m\":512,\"k\":1536,\"bm\":64,\"bk\":96,\"bmm\":32}");
        assertThat(tern("convert", PACKED, "--outtype", "tl2", "--kernel-config", ini, "--dry-run").out())
                .contains("512x1536 in tl2 tiles of 64/96/32");
        assertThat(tern("inspect", file).out()).contains("1536x512 in tl2 tiles of 64/96/32");
        assertThat(json(tern("inspect", file, "--json")).path("tiles")).isEqualTo(report.path("tiles"));
        assertThat(tern("validate", file, "--against", PACKED, "--kernel-config", ini).status()).isZero();
        Files.writeString(ini, text.toString().replace("bm = 64", "bm = 128"));
        InProcess.Result contradiction = tern("validate", file, "--kernel-config", ini);
        assertThat(contradiction.status()).isEqualTo(1);
        assertThat(contradiction.err()).contains(ini.toString()).contains("ternary.tl2.512x512").contains("64/96/32");
    }

    @Test
    void convertReplacesNothingUnasked() throws Exception {
        Path existing = Files.writeString(folder.resolve("existing.gguf"), "mine");
        InProcess.Result result = tern("convert", PACKED, "-o", existing);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains(existing.toString()).contains("exists").contains("--overwrite");
        assertThat(existing).hasContent("mine");
        assertThat(tern("convert", PACKED, "-o", existing, "--outtype", "i2_s", "--overwrite").status()).isZero();
        assertThat(existing).hasSameBinaryContentAs(model);
    }

    private static String sha256(Path file) throws Exception {
        byte[] digest = java.security.MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        return java.util.HexFormat.of().formatHex(digest);
    }
}
