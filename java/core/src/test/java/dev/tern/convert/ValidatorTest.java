package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlan;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufLayout;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufWriter;
import dev.tern.inspect.FindingKind;
import dev.tern.inspect.Inspection;
import dev.tern.inspect.Inspector;
import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ValidatorTest {
    private static final Path PACKED = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet/packed-u8");

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    @BeforeAll
    static void convert() {
        for (Outtype outtype : Outtype.values()) {
            Converter.from(PACKED).outtype(outtype).to(shared.resolve(outtype.label()));
        }
    }

    /** One flipped bit anywhere in the data is found, and laid at the right tensor's door. */
    @ParameterizedTest
    @EnumSource(Outtype.class)
    void oneChangedBitIsFoundInItsTensor(Outtype outtype) throws IOException {
        for (String name : new String[] {"blk.2.ffn_down.weight", "blk.0.attn_q.weight", "blk.1.attn_norm.weight", "token_embd.weight"}) {
            for (int permille : new int[] {0, 999}) {
                Path damaged = copy(outtype);
                try (GgufFile file = GgufFile.open(damaged)) {
                    GgufTensor tensor = file.require(name);
                    long used = switch (tensor.type()) {
                        case I2_S, TL1 -> tensor.byteSize() - 28;
                        case TL2 -> tensor.elements() / 6; // behind are signs, of which those of zeros mean nothing
                        default -> tensor.byteSize();
                    };
                    flip(damaged, file.dataStart() + tensor.offset() + used * permille / 1000, 1);
                }
                ValidationReport report = Validator.validate(damaged, PACKED);
                assertThat(report.problems()).as("%s at %d", name, permille).hasSize(1);
                assertThat(report.problems().getFirst()).contains("tensor '" + name + "'");
                assertThatThrownBy(report::requireOk).isInstanceOf(InputException.class).hasMessageContaining(name);
            }
        }
    }

    @Test
    void aChangedScaleIsFound() throws IOException {
        Path damaged = copy(Outtype.I2_S);
        try (GgufFile file = GgufFile.open(damaged)) {
            GgufTensor tensor = file.require("blk.1.attn_v.weight");
            flip(damaged, file.dataStart() + tensor.offset() + tensor.byteSize() - 32, 1);
        }
        assertThat(Validator.validate(damaged, PACKED).problems())
                .singleElement().asString().contains("blk.1.attn_v.weight", "scale: expected");
    }

    @ParameterizedTest
    @EnumSource(Outtype.class)
    void aGoodFilePassesByItself(Outtype outtype) {
        ValidationReport report = Validator.validate(shared.resolve(outtype.label()), null);
        assertThat(report.problems()).isEmpty();
        assertThat(report.notes()).isEmpty();
        assertThat(report.ternaryTensors()).isEqualTo(28);
        assertThat(report.ternaryWeights()).isEqualTo(14_168_576 - 2_097_152 - 4 * (3 * 512 + 1536) - 512);
    }

    @Test
    void whatIsWrongByItselfIsFound() throws IOException {
        assertThat(byItself(Outtype.I2_S, "blk.3.ffn_up.weight", 100, 0xFF)).contains("blk.3.ffn_up.weight", "code 3");
        assertThat(byItself(Outtype.TQ2_0, "blk.3.ffn_up.weight", 100, 0xFF)).contains("blk.3.ffn_up.weight", "code 3");
        assertThat(byItself(Outtype.TQ2_0, "blk.3.ffn_up.weight", 64, 0x77)).contains("blk.3.ffn_up.weight", "different scales");
        assertThat(byItself(Outtype.TQ1_0, "blk.3.ffn_up.weight", 5, 1)).contains("blk.3.ffn_up.weight");
        assertThat(byItself(Outtype.TL1, "blk.3.ffn_up.weight", 5, 0x90))
                .contains("blk.3.ffn_up.weight", "row 5, columns 0 to 1", "index 9");
        assertThat(byItself(Outtype.TL2, "blk.3.ffn_up.weight", 5, 0x0F))
                .contains("blk.3.ffn_up.weight", "row 5, columns 3 to 5", "index 15");
        assertThat(byItself(Outtype.F32, "blk.3.ffn_up.weight", 4, 0x77)).contains("blk.3.ffn_up.weight", "ordinary floats");
        assertThat(byItself(Outtype.I2_S, "output_norm.weight", 11, 0x7F, 0xFF)).contains("output_norm.weight", "row 0, column 2");
        assertThat(byItself(Outtype.I2_S, "token_embd.weight", 1025, 0x7C)).contains("token_embd.weight", "row 1, column 0");
    }

    /** The problem found after bytes of a tensor, from {@code at} downwards, were replaced. */
    private String byItself(Outtype outtype, String name, long at, int... bytes) throws IOException {
        Path damaged = copy(outtype);
        try (GgufFile file = GgufFile.open(damaged);
                RandomAccessFile raw = new RandomAccessFile(damaged.toFile(), "rw")) {
            for (int i = 0; i < bytes.length; i++) {
                raw.seek(file.dataStart() + file.require(name).offset() + at - i);
                raw.write(bytes[i]);
            }
        }
        ValidationReport report = Validator.validate(damaged, null);
        assertThat(report.problems()).hasSize(1);
        return report.problems().getFirst();
    }

    @Test
    void metadataThatContradictsTheCheckpointIsFound() {
        Path other = rewrite(metadata -> metadata.put("bitnet-b1.58.rope.freq_base", GgufValue.of(10000f)), name -> name);
        assertThat(Validator.validate(other, PACKED).problems())
                .singleElement().asString().contains("ropeTheta: expected 500000.0, found 10000.0");
        Path template = rewrite(metadata -> metadata.put("tokenizer.chat_template", GgufValue.of("x")), name -> name);
        assertThat(Validator.validate(template, PACKED).problems())
                .singleElement().asString().contains("tokenizer");
    }

    /** As bitnet.cpp's converter writes it, which stores no tiles. */
    @ParameterizedTest
    @EnumSource(names = {"TL1", "TL2"})
    void aFileWithoutTilesIsValidatedWithItsKernelConfig(Outtype outtype) throws IOException {
        Path file = rewrite(
                outtype, metadata -> metadata.keySet().removeIf(key -> key.startsWith("ternary.")), name -> name);
        Path ini = folder.resolve("kernel_config.ini");
        try (GgufFile own = GgufFile.open(shared.resolve(outtype.label()))) {
            Files.writeString(ini, KernelConfig.text(new KernelPlan(LutTiles.ofGguf(own).kernels())));
        }
        for (Path checkpoint : new Path[] {null, PACKED}) {
            assertThatThrownBy(() -> Validator.validate(file, checkpoint))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("tensor 'blk.0.attn_q.weight'")
                    .hasMessageContaining("--kernel-config");
            ValidationReport report = Validator.validate(file, checkpoint, ini, (phase, tensor, done, total) -> {});
            assertThat(report.problems()).isEmpty();
            assertThat(report.ternaryTensors()).isEqualTo(28);
        }
        assertThat(Inspector.inspect(file).findings())
                .filteredOn(finding -> finding.kind() != FindingKind.READERS)
                .singleElement()
                .satisfies(finding -> assertThat(finding.text()).contains("--kernel-config"));
        Inspection configured = Inspector.inspect(file, new Inspector.Options(ini, true, text -> {}));
        assertThat(configured.findings()).allMatch(finding -> finding.kind() == FindingKind.READERS);
        assertThat(configured.ternary().tensors()).isEqualTo(28);
    }

    @Test
    void missingAndSurplusTensorsAreFound() {
        Path renamed = rewrite(metadata -> {}, name -> name.equals("blk.0.ffn_norm.weight") ? "blk.0.x.weight" : name);
        assertThat(Validator.validate(renamed, PACKED).problems())
                .hasSize(2)
                .anyMatch(problem -> problem.contains("'blk.0.ffn_norm.weight': missing"))
                .anyMatch(problem -> problem.contains("'blk.0.x.weight': the checkpoint has no such"));
        assertThat(Validator.validate(renamed, null).problems()).singleElement().asString().contains("missing");
    }

    /** The I2_S file with other metadata or names; data unchanged. */
    private Path rewrite(Consumer<SequencedMap<String, GgufValue>> change, UnaryOperator<String> rename) {
        return rewrite(Outtype.I2_S, change, rename);
    }

    private Path rewrite(
            Outtype outtype, Consumer<SequencedMap<String, GgufValue>> change, UnaryOperator<String> rename) {
        Path target = folder.resolve("rewritten.gguf");
        try (GgufFile file = GgufFile.open(shared.resolve(outtype.label()));
                AtomicFile out = AtomicFile.create(target, true)) {
            SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>(file.metadata());
            change.accept(metadata);
            GgufLayout.Builder layout = GgufLayout.builder();
            metadata.forEach(layout::metadata);
            file.tensors().forEach(t -> layout.tensor(rename.apply(t.name()), t.type(), t.dims()));
            GgufWriter writer = new GgufWriter(layout.build(), out);
            file.tensors().forEach(t -> writer.write(rename.apply(t.name()), file.data(t)));
            writer.finish();
            out.commit();
        }
        return target;
    }

    private Path copy(Outtype outtype) throws IOException {
        Path target = folder.resolve("damaged.gguf");
        Files.deleteIfExists(target);
        return Files.copy(shared.resolve(outtype.label()), target);
    }

    private static void flip(Path path, long at, int mask) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.seek(at);
            int old = file.read();
            file.seek(at);
            file.write(old ^ mask);
        }
    }
}
