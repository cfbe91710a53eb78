package dev.tern.codegen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class KernelConfigTest {
    private static final String WHERE = "kernel_config.ini";

    private static final KernelPlan TWO_B =
            KernelPlanner.plan(PublishedModel.BITNET_B1_58_2B_4T.shape(), LutFormat.TL2);

    /** Two legal kernels of TL2 without comments, lines 1 to 6 and 7 to 12. */
    private static final String VALID = """
            [Kernels_0]
            m = 2560
            k = 6912
            bm = 256
            bk = 216
            bmm = 32

            [Kernels_1]
            m = 640
            k = 2560
            bm = 160
            bk = 96
            bmm = 32
            """;

    private static KernelConfig parse(String text) {
        return KernelConfig.parse(text, WHERE, Optional.of(LutFormat.TL2));
    }

    private static KernelPlan plan(LutFormat format, int[]... kernels) {
        return new KernelPlan(Arrays.stream(kernels)
                .map(k -> new PlannedKernel(format, new MatrixShape(k[0], k[1]), new Tile(k[2], k[3], k[4])))
                .toList());
    }

    private static final KernelPlan VALID_PLAN =
            plan(LutFormat.TL2, new int[] {2560, 6912, 256, 216, 32}, new int[] {640, 2560, 160, 96, 32});

    @Test
    void writesBitnetCppsTextBehindItsComments() {
        String text = KernelConfig.text(VALID_PLAN);
        assertThat(text).endsWith("\n").isEqualTo(KernelConfig.text(VALID_PLAN));
        assertThat(text.lines().filter(line -> line.startsWith("#")))
                .contains("# format: tl2", "# plan: " + VALID_PLAN.hash())
                .hasSizeGreaterThan(2);
        // ConfigParser.write() leaves a blank line after every section, the last one too.
        String kernels = text.lines()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
        assertThat(kernels).isEqualTo(VALID + "\n");
    }

    @ParameterizedTest
    @EnumSource
    void readsWhatItWrites(LutFormat format) {
        for (PublishedModel model : PublishedModel.values()) {
            KernelPlan plan = KernelPlanner.plan(model.shape(), format);
            String text = KernelConfig.text(plan);
            KernelConfig expected = new KernelConfig(format, plan);
            assertThat(KernelConfig.parse(text, WHERE, Optional.empty())).isEqualTo(expected);
            assertThat(KernelConfig.parse(text, WHERE, Optional.of(format))).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @EnumSource
    void readsAnyLegalTileBack(LutFormat format) {
        Random random = new Random(2);
        for (int i = 0; i < 200; i++) {
            List<PlannedKernel> kernels = Stream.generate(() -> new MatrixShape(
                            32 * (1 + random.nextInt(40)), 32 * (3 + random.nextInt(60))))
                    .limit(1 + random.nextInt(5))
                    .distinct()
                    .map(shape -> {
                        List<Tile> tiles = format.legalTiles(shape);
                        return new PlannedKernel(format, shape, tiles.get(random.nextInt(tiles.size())));
                    })
                    .toList();
            KernelPlan plan = new KernelPlan(kernels);
            assertThat(KernelConfig.parse(KernelConfig.text(plan), WHERE, Optional.empty()))
                    .isEqualTo(new KernelConfig(format, plan));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "TL1, 1536 4096 256 128 32; 1536 1536 128 64 64; 4096 1536 256 128 32",
        "TL1, 3200 8640 160 64 32; 3200 3200 320 128 64; 8640 3200 320 64 32",
        "TL2, 3200 8640 160 96 32; 3200 3200 320 96 32; 8640 3200 320 96 32",
        "TL1, 14336 4096 256 128 64; 4096 14336 256 128 32; 1024 4096 128 64 64; 4096 4096 128 64 32",
        "TL2, 14336 4096 256 96 32; 4096 14336 128 96 32; 1024 4096 256 96 32; 4096 4096 128 96 32",
    })
    void readsBitnetCppsPresets(LutFormat format, String kernels) {
        int[][] numbers = Stream.of(kernels.split("; "))
                .map(kernel -> Stream.of(kernel.split(" ")).mapToInt(Integer::parseInt).toArray())
                .toArray(int[][]::new);
        String text = preset(numbers);
        KernelPlan plan = plan(format, numbers);
        assertThat(KernelConfig.parse(text, WHERE, Optional.of(format))).isEqualTo(new KernelConfig(format, plan));
        assertThat(KernelConfig.text(plan)).endsWith(text);
    }

    /** As in preset_kernels of bitnet.cpp. */
    private static String preset(int[]... kernels) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < kernels.length; i++) {
            text.append("[Kernels_%d]\nm = %d\nk = %d\nbm = %d\nbk = %d\nbmm = %d\n\n".formatted(
                    i, kernels[i][0], kernels[i][1], kernels[i][2], kernels[i][3], kernels[i][4]));
        }
        return text.toString();
    }

    /** The preset of bitnet_b1_58-large says bmm = 64, which bitnet.cpp's own generator refuses. */
    @Test
    void refusesTheOnePresetThatIsWrong() {
        String text = preset(
                new int[] {1536, 4096, 256, 96, 32},
                new int[] {1536, 1536, 128, 192, 32},
                new int[] {4096, 1536, 256, 96, 64});
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(KernelPlanException.class)
                .hasMessage("kernel_config.ini:15 [Kernels_2]: the tile 256/96/64 (bm/bk/bmm) is not legal for the tl2"
                        + " matrix 4096x1536: bm is 64, and TL2 interleaves 32 rows;"
                        + " the planner would take 256/192/32");
    }

    @Test
    void toleratesWhatConfigparserTolerates() {
        String text = """
                ; made by hand
                   # FORMAT :  TL2
                [Kernels_0]
                M=2560
                K : 6912
                  ; a comment within
                Bm: 256

                bK  =  0216
                BMM\t=\t32
                [Kernels_7] ; the small one
                    bmm = 32
                    bk = 96
                    bm = 160
                    k = 2560
                    m = 640""";
        KernelConfig expected = new KernelConfig(LutFormat.TL2, VALID_PLAN);
        for (String variant : List.of(
                text,
                text.replace("\n", "\r\n"),
                text.replace('\n', '\r'),
                "\uFEFF" + text,
                text + "\n\n\n",
                "\n\n" + text)) {
            assertThat(KernelConfig.parse(variant, WHERE, Optional.empty())).isEqualTo(expected);
        }
    }

    @Test
    void keepsTheOrderOfTheFile() {
        assertThat(parse(VALID.replace("Kernels_0", "Kernels_9")).plan()).isEqualTo(VALID_PLAN);
    }

    @Test
    void takesTheFormatFromTheFileOrTheCallerAndRefusesWhenTheyDiffer() {
        assertThat(parse("# format: tl2\n" + VALID).format()).isEqualTo(LutFormat.TL2);
        assertThatThrownBy(() -> KernelConfig.parse(VALID, WHERE, Optional.empty()))
                .isInstanceOf(KernelPlanException.class)
                .hasMessage("kernel_config.ini: it does not say what format its tiles are for; expected a line"
                        + " '# format: tl2' or '# format: tl1'; name the format, or add the line");
        assertThatThrownBy(() -> parse("\n# format: tl1\n" + VALID))
                .isInstanceOf(KernelPlanException.class)
                .hasMessage("kernel_config.ini:2: these tiles are for tl1; expected tiles for tl2;"
                        + " ask for tl1, or generate a file for tl2");
        assertThatThrownBy(() -> parse("# format: tl3\n" + VALID))
                .isInstanceOf(KernelPlanException.class)
                .hasMessageStartingWith("kernel_config.ini:1: the format is 'tl3'; expected tl1 or tl2; ");
    }

    @Test
    void noticesThatAGeneratedFileWasEdited() {
        String text = KernelConfig.text(VALID_PLAN);
        String edited = text.replace("bm = 160", "bm = 128");
        String hash = parse(VALID.replace("bm = 160", "bm = 128")).plan().hash();
        assertThatThrownBy(() -> parse(edited))
                .isInstanceOf(KernelPlanException.class)
                .hasMessage("kernel_config.ini:4: edited after it was generated: the plan line says '"
                        + VALID_PLAN.hash() + "', the kernels give " + hash
                        + "; remove the plan line to use these tiles, or generate the file again with tern kernels");
        // The cure works.
        String cured = edited.lines().filter(line -> !line.startsWith("# plan")).collect(Collectors.joining("\n"));
        assertThat(parse(cured).plan().hash()).isEqualTo(hash);
        String upperCase = text.replace(VALID_PLAN.hash(), VALID_PLAN.hash().toUpperCase(Locale.ROOT));
        assertThat(parse(upperCase).plan()).isEqualTo(VALID_PLAN);
    }

    @ParameterizedTest(name = "{2}")
    @CsvSource(quoteCharacter = '`', delimiter = '|', value = {
        "k = 6912|kk = 6912|:3 [Kernels_0]: unknown key 'kk'; expected m, k, bm, bk, bmm; ",
        "k = 6912|# k = 6912|:1 [Kernels_0]: the key k (columns of the matrix) is missing;"
                + " expected m, k, bm, bk, bmm; ",
        "k = 6912|m = 6912|:3 [Kernels_0]: a second m (rows of the matrix); expected each key once a section; ",
        "k = 6912|K: 6912\\nk = 6912|:4 [Kernels_0]: a second k (columns of the matrix); ",
        "k = 6912|k = 6912x|:3 [Kernels_0]: k (columns of the matrix) is '6912x'; expected a whole number"
                + " from 1 to 2147483647; ",
        "k = 6912|k = 6912.0|:3 [Kernels_0]: k (columns of the matrix) is '6912.0'; expected a whole number",
        "k = 6912|k = -6912|:3 [Kernels_0]: k (columns of the matrix) is '-6912'; expected a whole number",
        "k = 6912|k = 0|:3 [Kernels_0]: k (columns of the matrix) is '0'; expected a whole number",
        "k = 6912|k = 2147483648|:3 [Kernels_0]: k (columns of the matrix) is '2147483648'; expected a whole number",
        "k = 6912|k =|:3 [Kernels_0]: k (columns of the matrix) is ''; expected a whole number",
        "k = 6912|k = 6912 # wide|:3 [Kernels_0]: k (columns of the matrix) is '6912 # wide'; expected a whole number"
                + " from 1 to 2147483647; put the comment on a line of its own",
        "k = 6912|k 6912|:3 [Kernels_0]: 'k 6912' is no setting; expected a key and a number, such as m = 2560; ",
        "k = 6912|\\s\\sk = 6912|:3 [Kernels_0]: 'k = 6912' stands deeper than the key above it",
        "[Kernels_1]|\\s\\s[Kernels_1]|:8 [Kernels_0]: '[Kernels_1]' stands deeper than the key above it",
        "[Kernels_1]|[Kernels_0]|:8 [Kernels_0]: a second section of this name, after that of line 1; ",
        "[Kernels_1]|[Kernels]|:8: the section header is '[Kernels]'; expected [Kernels_0], [Kernels_1], ...; ",
        "[Kernels_1]|[DEFAULT]|:8: the section header is '[DEFAULT]'; expected [Kernels_0], [Kernels_1], ...; ",
        "[Kernels_1]|[Kernels_1|:8: the section header is '[Kernels_1'; expected [Kernels_0], [Kernels_1], ...; ",
        "[Kernels_1]|[Kernels_1] 5|:8: the section header is '[Kernels_1] 5'; expected [Kernels_0], [Kernels_1], ...; ",
        "[Kernels_0]|m = 1|:1: 'm = 1' stands outside a section; expected [Kernels_0] before it; ",
        "bm = 256|bm = 192|:1 [Kernels_0]: the tile 192/216/32 (bm/bk/bmm) is not legal for the tl2 matrix 2560x6912:"
                + " BM 192 does not divide M = 2560; the planner would take 256/216/32",
        "m = 640|m = 100|:8 [Kernels_1]: the tile 160/96/32 (bm/bk/bmm) is not legal for the tl2 matrix 100x2560:"
                + " BM 160 does not divide M = 100; no tl2 tile fits the ternary matrix of 100 rows and 2560 columns:"
                + " its 100 rows are no multiple of 32; outtypes that hold it: i2_s, tq1_0, tq2_0, f16, bf16, f32",
        "m = 640\\nk = 2560|m = 2560\\nk = 6912|:8 [Kernels_1]: the matrix 2560x6912 has a tile already,"
                + " in [Kernels_0] of line 1; expected one tile a matrix; ",
        "[Kernels_1]|# plan: 1\\n# plan: 1|:9 [Kernels_0]: a second '# plan:' line, after that of line 8; ",
    })
    void saysWhereAndWhatIsWrongAndTheCure(String valid, String wrong, String message) {
        String broken = VALID.replace(valid.translateEscapes(), wrong.translateEscapes());
        assertThat(broken).isNotEqualTo(VALID);
        assertThatThrownBy(() -> parse(broken))
                .isInstanceOf(KernelPlanException.class)
                .hasMessageStartingWith(WHERE + message)
                .extracting(Throwable::getMessage)
                .asString()
                .doesNotEndWith("; ");
    }

    @Test
    void refusesAFileWithoutKernels() {
        for (String text : List.of("", "\n\n", "\uFEFF", "# format: tl2\n", "; nothing")) {
            assertThatThrownBy(() -> parse(text))
                    .isInstanceOf(KernelPlanException.class)
                    .hasMessageStartingWith(WHERE + ": there are no kernels in it; expected sections [Kernels_0]");
        }
    }

    @Test
    void messagesStayOnOneLineAndShort() {
        String text = VALID.replace("k = 6912", "k = 69\u0007\u001b12" + "9".repeat(10_000));
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(KernelPlanException.class)
                .hasMessageContaining("'69??12999")
                .extracting(Throwable::getMessage)
                .asString()
                .hasSizeLessThan(400);
    }

    @Test
    void holdsOneFormatAndOneTileAShape() {
        List<PlannedKernel> both = new ArrayList<>(VALID_PLAN.kernels());
        both.add(new PlannedKernel(LutFormat.TL1, new MatrixShape(64, 64), new Tile(64, 64, 32)));
        assertThatThrownBy(() -> KernelConfig.text(new KernelPlan(both)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("one format (tl2)");
        List<PlannedKernel> twice = new ArrayList<>(VALID_PLAN.kernels());
        twice.add(new PlannedKernel(LutFormat.TL2, new MatrixShape(640, 2560), new Tile(128, 96, 32)));
        assertThatThrownBy(() -> KernelConfig.text(new KernelPlan(twice)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("one tile a shape");
    }

    /** Whatever is in the file: the answer is a configuration that can be written and read again, or what is wrong. */
    @Test
    void nothingButItsOwnExceptionComesOutOfABrokenFile() {
        List<String> seeds = List.of(
                VALID,
                KernelConfig.text(VALID_PLAN),
                KernelConfig.text(TWO_B),
                KernelConfig.text(KernelPlanner.plan(PublishedModel.LLAMA3_8B.shape(), LutFormat.TL1)));
        Random random = new Random(3);
        int read = 0;
        int refused = 0;
        for (int i = 0; i < 6000; i++) {
            String text = seeds.get(random.nextInt(seeds.size()));
            for (int mutations = 1 + random.nextInt(3); mutations > 0; mutations--) {
                text = mutated(text, random);
            }
            Optional<LutFormat> asked =
                    random.nextBoolean() ? Optional.empty() : Optional.of(LutFormat.values()[random.nextInt(2)]);
            try {
                KernelConfig config = KernelConfig.parse(text, WHERE, asked);
                assertThat(KernelConfig.parse(KernelConfig.text(config.plan()), WHERE, asked)).isEqualTo(config);
                read++;
            } catch (KernelPlanException e) {
                assertThat(e.getMessage()).startsWith(WHERE).contains(";").doesNotContain("\n");
                refused++;
            }
        }
        assertThat(read).isGreaterThan(300);
        assertThat(refused).isGreaterThan(300);
    }

    private static String mutated(String text, Random random) {
        String pieces = "0123456789=:#;[]\n\r \t.-+mkbMKB_\0\uFEFF\u2028\u0660\ud800é";
        char piece = pieces.charAt(random.nextInt(pieces.length()));
        int at = random.nextInt(text.length() + 1);
        int to = Math.min(text.length(), at + 1 + random.nextInt(4));
        List<String> lines = new ArrayList<>(text.lines().toList());
        switch (random.nextInt(7)) {
            case 0 -> text = text.substring(0, at) + text.substring(to);
            case 1 -> text = text.substring(0, at) + piece + text.substring(at);
            case 2 -> text = text.substring(0, at) + piece + text.substring(to);
            case 3 -> text = text.substring(0, at);
            case 4 -> {
                Collections.shuffle(lines, random);
                text = String.join("\n", lines);
            }
            case 5 -> {
                if (!lines.isEmpty()) {
                    lines.add(random.nextInt(lines.size()), lines.get(random.nextInt(lines.size())));
                }
                text = String.join("\n", lines);
            }
            default -> {
                if (!lines.isEmpty()) {
                    lines.remove(random.nextInt(lines.size()));
                }
                text = String.join("\n", lines);
            }
        }
        return text;
    }
}
