package dev.tern.cli;

import static dev.tern.cli.InProcess.ONLINE;
import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.tern;
import static dev.tern.cli.TinyModel.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is wrong with a model, and whether a file says what its checkpoint does. */
class InspectCommandTest {
    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void convert() {
        model = TinyModel.in(folder);
    }

    @Test
    void validateFindsTheWrongCheckpoint() {
        // The online checkpoint has the same ternary values, but scales that were not rounded to bf16.
        InProcess.Result result = tern("validate", model, "--against", ONLINE);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.out()).startsWith("NOT valid").contains("blk.0.attn_q.weight").contains("and 18 more");
        JsonNode report = json(tern("validate", model, "--against", ONLINE, "--json"));
        assertThat(report.path("ok").asBoolean(true)).isFalse();
        assertThat(report.path("problems").size()).isEqualTo(28);
        assertThat(json(tern("validate", model, "--json")).path("ok").asBoolean()).isTrue();
    }

    @Test
    void validationsAreReportedInTextAndJson() throws Exception {
        Path report = model.resolveSibling("report.json");
        InProcess.Result validation = tern("validate", model, "--against", PACKED, "--report", report);
        assertThat(validation.status()).as(validation.err()).isZero();
        assertThat(validation.out())
                .contains("valid: 28 ternary tensors", "texts in many scripts: the same tokens")
                .contains("logits equal bit for bit", "sha256 " + sha256(model));
        JsonNode json = JsonMapper.builder().build().readTree(Files.readString(report));
        assertThat(json.path("ok").asBoolean()).isTrue();
        assertThat(json.path("sha256").asString()).isEqualTo(sha256(model));
        assertThat(json.at("/graph/bit_equal").asBoolean()).isTrue();
        assertThat(json.path("matrices")).hasSize(28);
        assertThat(json.at("/matrices/0/sha256").asString()).hasSize(64);
        assertThat(json.at("/totals/zero").asLong()).isPositive();
        assertThat(tern("validate", "-v", model, "--against", PACKED).out()).contains("blk.3.ffn_down.weight");
    }

    @Test
    void inspectNamesFindingsById() throws Exception {
        Path pointer = Files.writeString(model.resolveSibling("pointer.gguf"),
                "version https://git-lfs.github.com/spec/v1\n");
        InProcess.Result result = tern("inspect", pointer);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.out()).contains("[lfs-pointer]", "broken: 1 error");
        assertThat(json(tern("inspect", pointer, "--json")).at("/findings/0/id").asString()).isEqualTo("lfs-pointer");
        InProcess.Result good = tern("inspect", model, "--no-probe");
        assertThat(good.out()).contains("nothing is wrong").doesNotContain("nats");
        assertThat(json(tern("inspect", model, "--json")).at("/probe/negative_log_likelihood").asDouble())
                .isBetween(1.0, 6.0);
    }

    @Test
    void inspectTellsCheckpointsAndFiles() {
        InProcess.Result file = tern("inspect", model, "--json");
        assertThat(file.status()).as(file.err()).isZero();
        assertThat(json(file).isObject()).isTrue();
        assertThat(tern("inspect", model).out()).contains("bitnet-b1.58").contains("I2_S");
        assertThat(tern("inspect", model, "--tensors").out()).contains("blk.3.ffn_down.weight");
        InProcess.Result checkpoint = tern("inspect", PACKED);
        assertThat(checkpoint.status()).as(checkpoint.err()).isZero();
        assertThat(checkpoint.out()).contains("packed");
        assertThat(json(tern("inspect", ONLINE, "--json")).isObject()).isTrue();
    }

    private static String sha256(Path file) throws Exception {
        byte[] digest = java.security.MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        return java.util.HexFormat.of().formatHex(digest);
    }
}
