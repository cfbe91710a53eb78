package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.convert.Converter;
import dev.tern.inspect.Inspection;
import dev.tern.inspect.Inspector;
import dev.tern.convert.Validator;
import dev.tern.io.JsonFile;
import dev.tern.safetensors.SafetensorsFile;
import dev.tern.ternary.Outtype;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * A file as Microsoft publishes BitNet b1.58 2B-4T (ggml-model-i2_s.gguf), of the trained test model: the same 24 keys in
 * the same types, I2_S projections, F16 embedding, F32 norms; no tokenizer.ggml.pre and no hidden_activation. Written
 * here byte by byte from the packed checkpoint and the published layouts, without the code under test.
 */
class OfficialGgufTest {
    private static final Path CHECKPOINT = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet", "packed-u8");
    private static final int HIDDEN = 512;
    private static final int INNER = 1536;
    private static final int LAYERS = 4;
    private static final int VOCAB = 4096;
    private static final String ARCH = "bitnet-b1.58";
    private static final int[] IDS = {4080, 300, 511, 87, 1200, 3999, 12, 12, 640};

    private @TempDir Path folder;
    private final ByteArrayOutputStream head = new ByteArrayOutputStream();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private int keys;

    private record Tensor(String name, int type, long[] dims, byte[] bytes) {}

    @Test
    void isInspectedValidatedAndRun() throws Exception {
        Path official = write();
        Inspection inspection = Inspector.inspect(official);
        assertThat(inspection.findings())
                .noneMatch(finding -> finding.severity() == Inspection.Severity.ERROR)
                .anyMatch(finding -> finding.severity() == Inspection.Severity.WARNING
                        && finding.text().contains("tokenizer.ggml.pre is missing"));
        assertThat(inspection.types().get("I2_S").tensors()).isEqualTo(7 * LAYERS);
        assertThat(inspection.types().get("F32").tensors()).isEqualTo(4 * LAYERS + 1);
        assertThat(inspection.types().get("F16").tensors()).isEqualTo(1);
        assertThat(Validator.validate(official, null).problems()).isEmpty();

        Path converted = folder.resolve("converted.gguf");
        Converter.from(CHECKPOINT).outtype(Outtype.I2_S).to(converted);
        try (Model ours = Model.load(converted);
                Model theirs = Model.load(official)) {
            assertThat(bits(theirs)).isEqualTo(bits(ours));
            assertThat(theirs.info().notes())
                    .anyMatch(note -> note.contains("tokenizer.ggml.pre is missing: taken as llama-bpe"));
            String text = "The Fox's 1234 grapes,\n  and 56789 more!";
            assertThat(theirs.tokenizer().encode(text, true, true)).isEqualTo(ours.tokenizer().encode(text, true, true));
        }
    }

    private static int[] bits(Model model) {
        try (Session session = model.session()) {
            session.feed(IDS);
            return session.logits().toArray(ValueLayout.JAVA_INT);
        }
    }

    private Path write() throws Exception {
        List<Tensor> tensors = tensors();
        metadata();
        assertThat(keys).isEqualTo(24);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        file.writeBytes(le(4).putInt(3).array());
        file.writeBytes(le(16).putLong(tensors.size()).putLong(keys).array());
        file.writeBytes(head.toByteArray());
        for (Tensor tensor : tensors) {
            file.writeBytes(string(tensor.name));
            file.writeBytes(le(4).putInt(tensor.dims.length).array());
            for (long dim : tensor.dims) {
                file.writeBytes(le(8).putLong(dim).array());
            }
            file.writeBytes(le(12).putInt(tensor.type).putLong(data.size()).array());
            data.writeBytes(tensor.bytes);
            pad(data);
        }
        pad(file);
        file.writeBytes(data.toByteArray());
        return Files.write(folder.resolve("ggml-model-i2_s.gguf"), file.toByteArray());
    }

    private void metadata() {
        JsonNode tokenizer = JsonFile.read(CHECKPOINT.resolve("tokenizer.json"));
        key("general.architecture", 8, string(ARCH));
        key("general.name", 8, string("bitnet2b"));
        u32(ARCH + ".vocab_size", VOCAB);
        u32(ARCH + ".context_length", 512);
        u32(ARCH + ".embedding_length", HIDDEN);
        u32(ARCH + ".block_count", LAYERS);
        u32(ARCH + ".feed_forward_length", INNER);
        u32(ARCH + ".rope.dimension_count", 64);
        u32(ARCH + ".attention.head_count", 8);
        u32(ARCH + ".attention.head_count_kv", 2);
        key("tokenizer.ggml.add_bos_token", 7, new byte[] {1});
        key(ARCH + ".attention.layer_norm_rms_epsilon", 6, le(4).putFloat(1e-5f).array());
        key(ARCH + ".rope.freq_base", 6, le(4).putFloat(500000f).array());
        u32("general.file_type", 40);
        key("tokenizer.ggml.model", 8, string("gpt2"));
        String[] tokens = new String[VOCAB];
        int[] types = new int[VOCAB];
        tokenizer.path("model").path("vocab").properties().forEach(entry -> {
            tokens[entry.getValue().asInt()] = entry.getKey();
            types[entry.getValue().asInt()] = 1;
        });
        tokenizer.path("added_tokens").forEach(token -> {
            tokens[token.path("id").asInt()] = token.path("content").asString();
            types[token.path("id").asInt()] = 3;
        });
        ByteArrayOutputStream merges = new ByteArrayOutputStream();
        JsonNode pairs = tokenizer.path("model").path("merges");
        pairs.forEach(merge -> merges.writeBytes(string(merge.isArray()
                ? merge.path(0).asString() + " " + merge.path(1).asString()
                : merge.asString())));
        ByteArrayOutputStream texts = new ByteArrayOutputStream();
        ByteBuffer scores = le(4 * VOCAB);
        ByteBuffer kinds = le(4 * VOCAB);
        for (int id = 0; id < VOCAB; id++) {
            texts.writeBytes(string(tokens[id]));
            scores.putFloat(0);
            kinds.putInt(types[id]);
        }
        array("tokenizer.ggml.tokens", 8, VOCAB, texts.toByteArray());
        array("tokenizer.ggml.scores", 6, VOCAB, scores.array());
        array("tokenizer.ggml.token_type", 5, VOCAB, kinds.array());
        array("tokenizer.ggml.merges", 8, pairs.size(), merges.toByteArray());
        u32("tokenizer.ggml.bos_token_id", 4080);
        u32("tokenizer.ggml.eos_token_id", 4081);
        u32("tokenizer.ggml.padding_token_id", 4081);
        key(
                "tokenizer.chat_template",
                8,
                string(JsonFile.read(CHECKPOINT.resolve("tokenizer_config.json")).path("chat_template").asString()));
        u32("general.quantization_version", 2);
    }

    private List<Tensor> tensors() {
        List<Tensor> tensors = new ArrayList<>();
        try (SafetensorsFile file = SafetensorsFile.open(CHECKPOINT.resolve("model.safetensors"))) {
            tensors.add(half(file, "model.embed_tokens.weight"));
            for (int i = 0; i < LAYERS; i++) {
                String from = "model.layers." + i + ".";
                String to = "blk." + i + ".";
                tensors.add(norm(file, from + "input_layernorm.weight", to + "attn_norm.weight", HIDDEN));
                tensors.add(ternary(file, from + "mlp.down_proj.weight", to + "ffn_down.weight", INNER, HIDDEN));
                tensors.add(norm(file, from + "mlp.ffn_sub_norm.weight", to + "ffn_sub_norm.weight", INNER));
                tensors.add(ternary(file, from + "mlp.gate_proj.weight", to + "ffn_gate.weight", HIDDEN, INNER));
                tensors.add(ternary(file, from + "mlp.up_proj.weight", to + "ffn_up.weight", HIDDEN, INNER));
                tensors.add(norm(file, from + "post_attention_layernorm.weight", to + "ffn_norm.weight", HIDDEN));
                tensors.add(norm(file, from + "self_attn.attn_sub_norm.weight", to + "attn_sub_norm.weight", HIDDEN));
                tensors.add(ternary(file, from + "self_attn.k_proj.weight", to + "attn_k.weight", HIDDEN, 128));
                tensors.add(ternary(file, from + "self_attn.o_proj.weight", to + "attn_output.weight", HIDDEN, HIDDEN));
                tensors.add(ternary(file, from + "self_attn.q_proj.weight", to + "attn_q.weight", HIDDEN, HIDDEN));
                tensors.add(ternary(file, from + "self_attn.v_proj.weight", to + "attn_v.weight", HIDDEN, 128));
            }
            tensors.add(norm(file, "model.norm.weight", "output_norm.weight", HIDDEN));
        }
        return tensors;
    }

    /** bf16 to f16, which these values of moderate size allow. */
    private static Tensor half(SafetensorsFile file, String name) {
        ByteBuffer from = bytes(file, name);
        ByteBuffer to = le(from.capacity());
        while (to.hasRemaining()) {
            to.putShort(Float.floatToFloat16(Float.intBitsToFloat(from.getShort() << 16)));
        }
        return new Tensor("token_embd.weight", 1, new long[] {HIDDEN, VOCAB}, to.array());
    }

    private static Tensor norm(SafetensorsFile file, String name, String target, int width) {
        ByteBuffer from = bytes(file, name);
        ByteBuffer to = le(4 * width);
        while (to.hasRemaining()) {
            to.putInt(from.getShort() << 16);
        }
        return new Tensor(target, 0, new long[] {width}, to.array());
    }

    /** Rows j, j+n, j+2n, j+3n of four to weights p, p+32, p+64, p+96 of 128; then the scale in 32 bytes. */
    private static Tensor ternary(SafetensorsFile file, String name, String target, int cols, int rows) {
        ByteBuffer packed = bytes(file, name);
        byte[] to = new byte[rows * cols / 4 + 32];
        for (int row = 0; row < rows; row++) {
            for (int col = 0; col < cols; col++) {
                int code = packed.get(row % (rows / 4) * cols + col) >> 2 * (row / (rows / 4)) & 3;
                int weight = row * cols + col;
                to[weight / 128 * 32 + weight % 32] |= (byte) (code << 6 - 2 * (weight % 128 / 32));
            }
        }
        float scale = Float.intBitsToFloat(bytes(file, name + "_scale").getShort() << 16);
        ByteBuffer.wrap(to).order(ByteOrder.LITTLE_ENDIAN).putFloat(rows * cols / 4, scale);
        return new Tensor(target, 36, new long[] {cols, rows}, to);
    }

    private static ByteBuffer bytes(SafetensorsFile file, String name) {
        byte[] bytes = file.data(file.require(name)).toArray(ValueLayout.JAVA_BYTE);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void key(String name, int type, byte[] value) {
        keys++;
        head.writeBytes(string(name));
        head.writeBytes(le(4).putInt(type).array());
        head.writeBytes(value);
    }

    private void u32(String name, int value) {
        key(name, 4, le(4).putInt(value).array());
    }

    private void array(String name, int elementType, int count, byte[] elements) {
        key(name, 9, le(12).putInt(elementType).putLong(count).array());
        head.writeBytes(elements);
    }

    private static byte[] string(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return le(8 + utf8.length).putLong(utf8.length).put(utf8).array();
    }

    private static ByteBuffer le(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % 32 != 0) {
            out.write(0);
        }
    }
}
