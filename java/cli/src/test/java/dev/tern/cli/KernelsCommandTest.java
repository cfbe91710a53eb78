package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.tern;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tern.codegen.BitnetCppHeader;
import dev.tern.codegen.HeaderGenerator;
import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.KernelPlanner;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.ModelShape;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class KernelsCommandTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final ModelShape TINY = new ModelShape(512, 1536, 8, 2, 64);

    @TempDir
    Path folder;

    private Path out() {
        return folder.resolve("made/include");
    }

    @Test
    void writesHeaderAndConfigOfACheckpointsMatrices() throws Exception {
        InProcess.Result result = tern("kernels", PACKED, "--out", out());
        assertThat(result.status()).as(result.err()).isZero();
        KernelPlan plan = KernelPlanner.plan(TINY, LutFormat.TL2);
        assertThat(out().resolve("bitnet-lut-kernels.h")).hasContent(HeaderGenerator.generate(plan));
        assertThat(out().resolve("kernel_config.ini")).hasContent(KernelConfig.text(plan));
        assertThat(result.out())
                .contains("512 x 512  q, o ", "128 x 512  k, v ", "1536 x 512  gate, up ", "512 x 1536  down ")
                .contains("8 heads and 2 for k and v, of 64", "wrote " + out().resolve("kernel_config.ini"));
        assertThat(result.out().lines()).filteredOn(line -> !line.contains("/")).allSatisfy(line ->
                assertThat(line).hasSizeLessThanOrEqualTo(80));
        assertThat(result.err()).isEmpty();

        KernelConfig read = KernelConfig.parse(
                Files.readString(out().resolve("kernel_config.ini")), "kernel_config.ini", Optional.empty());
        assertThat(read.plan()).isEqualTo(plan);
        assertThat(tern("convert", PACKED, "--outtype", "tl2", "--kernel-config", out().resolve("kernel_config.ini"),
                                "--dry-run")
                        .status())
                .isZero();
    }

    @Test
    void aConfigAloneIsEnoughWhateverItsArchitecture() throws Exception {
        Path config = config("\"architectures\": [\"NovelForCausalLM\"], \"hidden_size\": 2048,"
                + " \"intermediate_size\": 8192, \"num_attention_heads\": 8, \"num_key_value_heads\": 4");
        JsonNode report = json(tern("kernels", "--config", config, "--dry-run", "--json"));
        assertThat(report.path("model").path("head_dim").asInt()).isEqualTo(256);
        assertThat(report.path("kernels").path(1).path("matrices").toString()).isEqualTo("[\"k\",\"v\"]");
        assertThat(report.path("kernels").path(1).path("m").asInt()).isEqualTo(1024);
        assertThat(tern("kernels", config.getParent(), "--dry-run").err()).contains("there are no weights", "unchecked");
    }

    @Test
    void queriesAndOutputAreApartWhereHeadsAreNotAsWideAsTheModel() {
        JsonNode report = json(tern(dimensions("96 192 2 1", "--head-dim", 64, "--format", "tl1", "--dry-run", "--json")));
        List<String> shapes = new ArrayList<>();
        report.path("kernels").forEach(kernel ->
                shapes.add(kernel.path("m").asInt() + "x" + kernel.path("k").asInt() + kernel.path("matrices")));
        assertThat(shapes)
                .containsExactly(
                        "128x96[\"q\"]", "64x96[\"k\",\"v\"]", "96x128[\"o\"]", "192x96[\"gate\",\"up\"]",
                        "96x192[\"down\"]");
        assertThat(report.path("format").asString()).isEqualTo("tl1");
        assertThat(report.path("kernels").path(0).path("three_k").asInt(-1)).isZero();
        assertThat(report.path("kernels").path(0).path("bits_per_weight").asDouble()).isEqualTo(2);
    }

    @Test
    void whatIsTakenForTheHeadsIsSaid() {
        InProcess.Result result =
                tern("kernels", "--hidden-size", "96", "--intermediate-size", "192", "--dry-run", "--json");
        assertThat(result.err()).contains("q, k, v and o are all taken as 96x96");
        assertThat(json(result).path("kernels").path(0).path("matrices").toString())
                .isEqualTo("[\"q\",\"k\",\"v\",\"o\"]");
        assertThat(json(result).path("model").path("num_attention_heads").isNull()).isTrue();
        assertThat(tern("kernels", "--hidden-size", "96", "--intermediate-size", "192", "--num-attention-heads", "3",
                                "--dry-run")
                        .err())
                .contains("k and v are taken to have 3 heads");
    }

    @Test
    void aDryRunWritesNothing() {
        JsonNode report = json(tern("kernels", PACKED, "--out", out(), "--dry-run", "--build", "--tune", "--json"));
        assertThat(folder.resolve("made")).doesNotExist();
        assertThat(report.path("dry_run").asBoolean()).isTrue();
        assertThat(report.path("files").path(0).path("written").asBoolean(true)).isFalse();
        assertThat(report.path("library").isNull()).isTrue();
        assertThat(report.path("tuning").path("tiles").size()).isGreaterThan(4);
    }

    @Test
    void otherFilesAreReplacedOnlyWhenAsked() throws Exception {
        assertThat(tern("kernels", PACKED, "--out", out()).status()).isZero();
        InProcess.Result again = tern("kernels", PACKED, "--out", out());
        assertThat(again.status()).isZero();
        assertThat(again.out()).contains("unchanged " + out().resolve("bitnet-lut-kernels.h"));

        Path header = out().resolve("bitnet-lut-kernels.h");
        Path ini = Files.writeString(out().resolve("kernel_config.ini"), "mine");
        Files.delete(header);
        InProcess.Result refused = tern("kernels", PACKED, "--out", out());
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).contains(ini.toString(), "--overwrite").doesNotContain("\tat ");
        assertThat(ini).hasContent("mine");
        assertThat(header).doesNotExist();
        assertThat(tern("kernels", PACKED, "--out", out(), "--overwrite").status()).isZero();
        assertThat(ini).hasContent(KernelConfig.text(KernelPlanner.plan(TINY, LutFormat.TL2)));
        InProcess.Result file = tern("kernels", PACKED, "--out", ini);
        assertThat(file.status()).isEqualTo(1);
        assertThat(file.err()).contains("expected a folder");
    }

    @Test
    void aHeaderForBitnetCpp() throws Exception {
        InProcess.Result result = tern("kernels", PACKED, "--abi", "bitnet.cpp", "--format", "tl1", "--out", out());
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(out().resolve("bitnet-lut-kernels.h"))
                .hasContent(BitnetCppHeader.generate(KernelPlanner.plan(TINY, LutFormat.TL1)));
        assertThat(result.out()).contains("-DBITNET_ARM_TL1=ON");
    }

    @Test
    void theUsersTilesAreTaken() throws Exception {
        Path ini = ini("512 512", "128 512", "1536 512", "512 1536", "64 96");
        JsonNode all = json(tern("kernels", "--kernel-config", ini, "--format", "tl2", "--dry-run", "--json"));
        assertThat(all.path("kernels").size()).isEqualTo(5);
        assertThat(all.path("model").isNull()).isTrue();

        InProcess.Result result =
                tern("kernels", PACKED, "--kernel-config", ini, "--format", "tl2", "--out", out(), "--json");
        assertThat(json(result).path("kernels").size()).isEqualTo(4);
        assertThat(json(result).path("kernels").path(3).path("bm").asInt()).isEqualTo(64);
        assertThat(result.err()).contains("no matrix of 64x96");

        Path written = out().resolve("kernel_config.ini");
        String text = Files.readString(written);
        assertThat(tern("kernels", "--kernel-config", written, "--dry-run").status()).isZero();
        Path edited = Files.writeString(folder.resolve("edited.ini"), text.replaceFirst("bm = 64", "bm = 32"));
        InProcess.Result refused = tern("kernels", "--kernel-config", edited, "--dry-run");
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).contains("edited after it was generated");

        InProcess.Result missing =
                tern("kernels", PACKED, "--kernel-config", ini("512 512"), "--format", "tl2", "--dry-run");
        assertThat(missing.status()).isEqualTo(1);
        assertThat(missing.err()).contains("no tile for the matrices k, v", "m = 128 and k = 512", "found 512x512");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "kernels | 2 | a model is missing",
        "kernels --hidden-size 96 | 2 | --intermediate-size",
        "kernels --hidden-size 0 --intermediate-size 192 | 2 | --hidden-size",
        "kernels --hidden-size x --intermediate-size 192 | 2 | not a whole number",
        "kernels --hidden-size 96 --intermediate-size 192 --head-dim 32 | 2 | needs --num-attention-heads",
        "kernels --hidden-size 96 --intermediate-size 192 --num-attention-heads 5 | 2 | divisor of the hidden size 96",
        "kernels --hidden-size 96 --intermediate-size 192 --num-attention-heads 3 --num-key-value-heads 2 | 2 | divisor",
        "kernels --hidden-size 96 --intermediate-size 192 --num-attention-heads 16777216 --head-dim 9 | 2 | too many",
        "kernels @packed --hidden-size 96 | 2 | exclude each other",
        "kernels @packed --config x.json | 2 | exclude each other",
        "kernels x.json | 2 | --config x.json",
        "kernels @packed --format i2_s | 2 | i2_s",
        "kernels @packed --abi ggml | 2 | tern or bitnet.cpp",
        "kernels @packed --threads 2 | 2 | is for --tune",
        "kernels @packed --tune --threads 0 | 2 | --threads",
        "kernels @packed --tune --tune-seconds 0 | 2 | --tune-seconds",
        "kernels @packed --tune --kernel-config x.ini | 2 | give one of them",
        "kernels --config /no/such.json | 1 | /no/such.json",
        "kernels /no/such/folder | 1 | /no/such/folder",
        "kernels --kernel-config /no/such.ini | 1 | /no/such.ini",
        "kernels --hidden-size 1000 --intermediate-size 3000 | 1 | no multiple of 32; outtypes that hold it: f16",
        "kernels --hidden-size 576 --intermediate-size 1536 --format tl1 --num-attention-heads 9 --head-dim 60 | 1 | tl1",
        "kernels --hidden-size 16777216 --intermediate-size 96 --format tl1 | 1 | leave int32",
    })
    void saysWhatIsWrongAndWritesNothing(String line, int status, String words) {
        List<Object> arguments = new ArrayList<>();
        for (String argument : line.split(" ")) {
            arguments.add(argument.equals("@packed") ? PACKED : argument);
        }
        arguments.addAll(List.of("--out", out()));
        InProcess.Result result = tern(arguments.toArray());
        assertThat(result.status()).as(result.err()).isEqualTo(status);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("tern: ").contains(words).doesNotContain("\tat ");
        assertThat(folder.resolve("made")).doesNotExist();
    }

    @Test
    void faultsOfAConfigAreTold() throws Exception {
        InProcess.Result missing = tern("kernels", "--config", config("\"hidden_size\": 64"), "--dry-run");
        assertThat(missing.status()).isEqualTo(1);
        assertThat(missing.err()).contains("config.json", "num_attention_heads", "found nothing");
        InProcess.Result noFormat = tern("kernels", "--kernel-config", ini("512 512"), "--dry-run");
        assertThat(noFormat.status()).isEqualTo(1);
        assertThat(noFormat.err()).contains("does not say what format");
    }

    @Test
    void tensorsThatContradictTheConfigAreToldWithTheWayOut() throws Exception {
        String text = Files.readString(PACKED.resolve("config.json"));
        Files.copy(PACKED.resolve("model.safetensors"), folder.resolve("model.safetensors"));
        Path config = Files.writeString(
                folder.resolve("config.json"), text.replaceFirst("\"intermediate_size\": 1536", "\"intermediate_size\": 2048"));
        InProcess.Result result = tern("kernels", folder, "--dry-run");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("another shape than config.json", "--config " + config);
        assertThat(tern("kernels", "--config", config, "--dry-run").status()).isZero();
    }

    /** The cache is the environment's, so a process of its own; one build, for it takes seconds. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void buildsALibraryThatTernFinds() throws Exception {
        assumeTrue(KernelChoice.best().kernels().tier() != Tier.JAVA, "needs libtern");
        assumeTrue(compilerIsThere(), "needs CMake and a C compiler");
        Path cache = folder.resolve("cache");
        String command = "TERN_CACHE='" + cache + "' tern kernels --hidden-size 96 --intermediate-size 192 --out '" + out()
                + "' --build --json";
        InProcess.Result first = TernProcess.shell(command);
        assertThat(first.status()).as(first.err()).isZero();
        JsonNode report = json(first);
        Path library = Path.of(report.path("library").asString());
        assertThat(library).isRegularFile().startsWith(cache);
        assertThat(report.path("kernels_in_libtern").asInt(-1)).isZero();

        InProcess.Result second = TernProcess.shell(command.replace(" --json", ""));
        assertThat(second.status()).as(second.err()).isZero();
        assertThat(second.out()).contains("built before: " + library);

        Files.write(library, new byte[] {1});
        InProcess.Result doctor = TernProcess.shell("TERN_CACHE='" + cache + "' tern doctor");
        assertThat(doctor.out()).contains("1 of them damaged").contains("tern kernels --build");
        JsonNode lut = json(TernProcess.shell("TERN_CACHE='" + cache + "' tern doctor --json")).path("look_up_table_kernels");
        assertThat(lut.path("built").asInt()).isEqualTo(1);
        assertThat(lut.path("damaged").size()).isEqualTo(1);
        assertThat(lut.path("shapes").asInt()).isPositive();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aCompilerThatFailsShowsItsOutputAndLeavesNoFiles() throws Exception {
        assumeTrue(compilerIsThere(), "needs CMake and a C compiler");
        Path compiler = Files.writeString(folder.resolve("cc"), "#!/bin/sh\necho 'cc: out of ideas'\nexit 1\n");
        assertThat(compiler.toFile().setExecutable(true)).isTrue();
        InProcess.Result result = TernProcess.shell("CC='" + compiler + "' TERN_CACHE='" + folder.resolve("cache")
                + "' tern kernels --hidden-size 96 --intermediate-size 192 --build --out '" + out() + "'");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("cc: out of ideas").doesNotContain("\tat ");
        assertThat(folder.resolve("made")).doesNotExist();
    }

    private static boolean compilerIsThere() {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Tool.find(path, List.of("cmake")).isPresent() && Tool.find(path, List.of("cc", "gcc", "clang")).isPresent();
    }

    /** @param sizes hidden, intermediate, heads, key/value heads */
    private static Object[] dimensions(String sizes, Object... more) {
        String[] size = sizes.split(" ");
        List<Object> arguments = new ArrayList<>(List.of(
                "kernels", "--hidden-size", size[0], "--intermediate-size", size[1], "--num-attention-heads", size[2],
                "--num-key-value-heads", size[3]));
        arguments.addAll(List.of(more));
        return arguments.toArray();
    }

    private Path config(String fields) throws IOException {
        Path only = Files.createDirectories(folder.resolve("only"));
        return Files.writeString(only.resolve("config.json"), "{" + fields + "}");
    }

    /** Sections as bitnet.cpp writes them, without comments, tiles of 64/96/32. */
    private Path ini(String... shapes) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < shapes.length; i++) {
            String[] mk = shapes[i].split(" ");
            text.append("[Kernels_").append(i).append("]\nm = ").append(mk[0]).append("\nk = ").append(mk[1]);
            text.append("\nbm = 64\nbk = 96\nbmm = 32\n\n");
        }
        return Files.writeString(folder.resolve("bitnet.cpp.ini"), text);
    }

    private static JsonNode json(InProcess.Result result) {
        assertThat(result.out()).as(result.err()).isNotEmpty();
        return JSON.readTree(result.out());
    }
}
