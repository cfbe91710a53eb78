package dev.tern.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.TestGguf;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufValue;
import dev.tern.inspect.Inspection.Finding;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Files that lost or mixed up what is around the weights: each fault is recognised, and none else is alleged. */
class FaultyGgufTest extends FaultyModel {
    // Tokenizer and metadata

    @Test
    void bosBakedIntoTokens() {
        TestGguf gguf = tiny(Outtype.I2_S);
        List<String> tokens = tokens(gguf);
        for (int id = 4080; id < tokens.size(); id++) {
            tokens.set(id, "<|begin_of_text|>" + tokens.get(id));
        }
        gguf.metadata.put("tokenizer.ggml.tokens", GgufValue.strings(tokens));
        assertThat(alarms(inspect(gguf))).extracting(Finding::kind).contains(FindingKind.BOS_BAKED_IN);
    }

    @Test
    void whatTokenizersLose() {
        TestGguf gguf = tiny(Outtype.I2_S);
        gguf.metadata.remove("tokenizer.ggml.pre");
        assertOnly(FindingKind.PRE_TOKENIZER_MISSING, gguf);

        gguf.metadata.put("tokenizer.ggml.pre", GgufValue.of("default"));
        assertOnly(FindingKind.PRE_TOKENIZER_MISSING, gguf);
        gguf.metadata.put("tokenizer.tern.pipeline", GgufValue.of("{\"pre_tokenizer\":{\"type\":\"ByteLevel\"}}"));
        assertThat(alarms(inspect(gguf))).isEmpty();
        assertThat(inspect(gguf).findings()).anySatisfy(finding -> {
            assertThat(finding.kind()).isEqualTo(FindingKind.PRE_TOKENIZER_MISSING);
            assertThat(finding.text()).contains("tokenizer.tern.pipeline");
        });

        TestGguf plain = tiny(Outtype.I2_S);
        plain.metadata.remove("tokenizer.chat_template");
        assertOnly(FindingKind.CHAT_TEMPLATE_MISSING, plain);

        TestGguf other = tiny(Outtype.I2_S);
        other.metadata.put("tokenizer.chat_template", GgufValue.of("{{ messages[0]['content'] }}<|im_end|>"));
        assertOnly(FindingKind.SPECIAL_TOKEN_MISSING, other);

        TestGguf none = tiny(Outtype.I2_S);
        none.metadata.keySet().removeIf(key -> key.startsWith("tokenizer."));
        assertOnly(FindingKind.TOKENIZER_MISSING, none);

        TestGguf merges = tiny(Outtype.I2_S);
        merges.metadata.put("tokenizer.ggml.merges", GgufValue.strings(List.of()));
        assertThat(alarms(inspect(merges))).extracting(Finding::kind).contains(FindingKind.VOCABULARY_INCOMPLETE);

        TestGguf shorter = tiny(Outtype.I2_S);
        shorter.metadata.put("tokenizer.ggml.tokens", GgufValue.strings(tokens(shorter).subList(0, 4090)));
        shorter.metadata.remove("tokenizer.ggml.token_type");
        assertThat(alarms(inspect(shorter))).extracting(Finding::kind).contains(FindingKind.VOCABULARY_MISMATCH);
    }

    @Test
    void whatMetadataLose() {
        TestGguf spelled = tiny(Outtype.I2_S);
        rename(spelled, "BitNetForCausalLM");
        assertOnly(FindingKind.ARCHITECTURE_SPELLING, spelled);

        TestGguf rotated = tiny(Outtype.I2_S);
        rotated.metadata.put("bitnet-b1.58.rope.dimension_count", GgufValue.u32(32));
        assertThat(alarms(inspect(rotated))).extracting(Finding::kind).contains(FindingKind.ROPE_DIMENSION);

        TestGguf type = tiny(Outtype.I2_S);
        type.metadata.put("general.file_type", GgufValue.u32(36));
        assertOnly(FindingKind.FILE_TYPE_MISMATCH, type);

        TestGguf wide = tiny(Outtype.I2_S);
        wide.metadata.put("bitnet-b1.58.attention.head_count", GgufValue.u32(4));
        wide.metadata.put("bitnet-b1.58.embedding_length", GgufValue.u32(1024));
        assertThat(alarms(inspect(wide))).extracting(Finding::kind).contains(FindingKind.SHAPE_MISMATCH);

        TestGguf missing = tiny(Outtype.I2_S);
        missing.metadata.remove("bitnet-b1.58.block_count");
        assertOnly(FindingKind.METADATA, missing);

        TestGguf activation = tiny(Outtype.I2_S);
        activation.metadata.put("bitnet-b1.58.hidden_activation", GgufValue.of("gelu"));
        assertOnly(FindingKind.ACTIVATION_MISMATCH, activation);
    }

    @Test
    void tensorsThatAreLostOrTooMany() {
        TestGguf norms = tiny(Outtype.I2_S);
        norms.tensors.keySet().removeIf(name -> name.endsWith("_sub_norm.weight"));
        assertOnly(FindingKind.SUB_NORMS_MISSING, norms);

        TestGguf lost = tiny(Outtype.I2_S);
        lost.tensors.remove("blk.3.ffn_down.weight");
        assertOnly(FindingKind.TENSORS_MISSING, lost);

        TestGguf more = tiny(Outtype.I2_S);
        more.floats("blk.0.attn_q.bias", new float[512], 512);
        assertOnly(FindingKind.TENSOR_UNUSED, more);

        TestGguf infinite = tiny(Outtype.I2_S);
        byte[] norm = infinite.tensors.get("blk.1.ffn_norm.weight").bytes();
        ByteBuffer.wrap(norm).order(ByteOrder.LITTLE_ENDIAN).putFloat(40, Float.NaN);
        assertOnly(FindingKind.NOT_FINITE, infinite);
        assertThat(inspect(infinite).findings()).anyMatch(f -> f.text().contains("blk.1.ffn_norm.weight' holds") && f.text().contains("column 10"));
    }

    // Files that cannot be opened

    @Test
    void offsetsThatLeaveOutTheScales() throws IOException {
        Path good = tiny(Outtype.I2_S).write(folder.resolve("good.gguf"));
        byte[] bytes = Files.readAllBytes(good);
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long drift = 0;
        try (var open = GgufFile.open(good)) {
            for (var tensor : open.tensors()) {
                byte[] name = tensor.name().getBytes(StandardCharsets.UTF_8);
                int at = find(bytes, name) + name.length + 4 + 8 * tensor.dims().length + 4;
                file.putLong(at, tensor.offset() - drift);
                drift += tensor.type() == GgmlType.I2_S ? 32 : 0;
            }
        }
        Inspection found = Inspector.inspect(Files.write(folder.resolve("drift.gguf"), bytes));
        assertThat(alarms(found)).extracting(Finding::kind).containsExactly(FindingKind.OFFSET_DRIFT);
        assertThat(found.findings().getFirst().text()).contains("the bytes are there");
    }

    @Test
    void filesThatAreNotWhole() throws IOException {
        byte[] bytes = Files.readAllBytes(tiny(Outtype.I2_S).write(folder.resolve("good.gguf")));
        assertThat(kinds(Files.write(folder.resolve("half.gguf"), Arrays.copyOf(bytes, bytes.length / 2))))
                .containsExactly(FindingKind.TRUNCATED);
        assertThat(kinds(Files.write(folder.resolve("head.gguf"), Arrays.copyOf(bytes, 5000))))
                .containsExactly(FindingKind.DAMAGED);
        assertThat(kinds(Files.writeString(folder.resolve("lfs.gguf"),
                        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")))
                .containsExactly(FindingKind.LFS_POINTER);
        assertThat(kinds(Files.writeString(folder.resolve("page.gguf"), "<!DOCTYPE html><html><body>Sign in</body></html>")))
                .containsExactly(FindingKind.WEB_PAGE);
        assertThat(kinds(Files.copy(MODELS.resolve("packed-u8/model.safetensors"), folder.resolve("s.gguf"))))
                .containsExactly(FindingKind.NOT_GGUF);
    }

    @Test
    void typesThatOtherProgramsMean() throws IOException {
        TestGguf gguf = tiny(Outtype.I2_S);
        byte[] bytes = Files.readAllBytes(gguf.write(folder.resolve("good.gguf")));
        int at = find(bytes, "blk.0.attn_q.weight".getBytes(StandardCharsets.UTF_8)) + 19 + 4 + 16;
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at, 37);
        Inspection found = Inspector.inspect(Files.write(folder.resolve("37.gguf"), bytes));
        assertThat(alarms(found)).extracting(Finding::kind).containsExactly(FindingKind.UNREADABLE_TYPE);
        assertThat(found.findings().getFirst().text()).contains("I8_S", "IQ4_NL_4_8");
    }

    /** IQ4_NL_4_4, which llama.cpp had under the number 36: 18 bytes for 32 weights. */
    @Test
    void type36OfAnotherProgram() throws IOException {
        TestGguf gguf = tiny(Outtype.I2_S);
        forEachMatrix((tensor, m) -> replace(gguf, tensor, GgmlType.IQ4_NL, new byte[m.values().length / 32 * 18]));
        byte[] bytes = Files.readAllBytes(gguf.write(folder.resolve("good.gguf")));
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        forEachMatrix((tensor, m) -> {
            byte[] name = tensor.name().getBytes(StandardCharsets.UTF_8);
            file.putInt(find(bytes, name) + name.length + 4 + 16, 36);
        });
        Inspection found = Inspector.inspect(Files.write(folder.resolve("36.gguf"), bytes));
        assertThat(alarms(found)).extracting(Finding::kind).containsExactly(FindingKind.UNREADABLE_TYPE);
        assertThat(found.findings().getFirst().text()).contains("36", "IQ4_NL_4_4");
    }
}
