package dev.tern.ternary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.gguf.GgmlType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class BlockQuantizerTest {
    private static final int COUNT = 64 * 256;

    /** Numbers as a Python program makes them with NumPy's float32, in the same order of operations. */
    private static float[] numbers(int kind) {
        float[] values = new float[COUNT];
        int x = 1 + kind;
        for (int i = 0; i < COUNT; i++) {
            x = x * 1103515245 + 12345 & 0x7FFFFFFF;
            float u = ((x >> 8) - (1 << 22)) * 0x1p-22f;
            int r = x >> 16;
            values[i] = switch (kind) {
                case 0 -> u * 0.1f;
                case 1 -> u * u * u * 0.25f;
                case 2 -> r % 41 == 0 ? u * 8 : 0; // mostly zeros
                case 3 -> u * 0x1p-40f; // d underflows in fp16
                case 4 -> u * (float) Math.scalb(1.0, -(i / 16 * 7 % 30)); // scales that become zero beside larger ones
                case 5 -> r % 129 - 64; // ties
                case 6 -> u * 1e6f;
                default -> u * (float) Math.scalb(1.0, -(i / 16 % 64)); // down to what counts as nothing
            };
        }
        return values;
    }

    /**
     * SHA-256 of what ggml 0.4.0 (the release build in the npm package {@code @node-llama-cpp/linux-x64} 3.21.1) gives
     * for these numbers by {@code quantize_row_q6_K_ref} and {@code quantize_row_q8_0_ref}, for Q8_0 the same as
     * {@code gguf.quants.quantize} (0.19); and of what {@code gguf.quants.dequantize} makes of that, as float32.
     */
    @ParameterizedTest
    @CsvSource({
        "0, Q6_K, bb122264a3b056eb1bb9a0b69df145f54366853169df83c6f33d5e85cb690534, fef4648ce76324c2cc99e1da73da2ae6b506ba711a098c7a3c4a7e4fa592cddf",
        "0, Q8_0, e06b54c27bb108e920e19ea0e0b5599a59342fd6d94ee891de2684e0709cca43, af70f55f833d35ba2efaa22354d224ee70e8cdc14d904330d39475503876c75e",
        "1, Q6_K, a64ee5250822e1bdd3ae680ab12f2e418e0d21970104f8e762ddcc8b3b110ce5, c7548d8ffe7a4542ffd52275aa5c2fa76c0d607de2b970200dcdb6f29ef48fdf",
        "1, Q8_0, 65c2c2875f8949402e694b7d01678a5793a8c29ae7840678ceba8a522827427e, 0dcc642371f54b8c6b5cbea41c4d08c7ad02a1e3cabe3b6f2f236d3e4b888be5",
        "2, Q6_K, 4131c329daa756fc57fa29f780d02361d840f48359bba798d4c32f2d565b51a2, 990fb20a34f84cd71f0edee441dafc3f8fa7ea4a5d4f5acb642037be1ceaa33b",
        "2, Q8_0, 98452e4a2e02437a42d095ccabddc958ff638ca597b150afcf52f5a671b43f31, ed568869b0d781a6b0037d962129b58cf0e61ca303cbe4bcc3c073c21a1df4c7",
        "3, Q6_K, 039eb61c1b89f9897fd1e75cbc021c3752972c68d41b87de07dcc1be5447239c, 6681b6bb3e900007395e38c07d33d4cecf3763a72a5da9027e8db3ed47f5db4c",
        "3, Q8_0, 1f87c03cf49e0bb4a1e3b3f00b091b509277c94d3fc4f874c33581996caadabd, f63178a11316c48e3d396414bb8105bfa539b46f89b8bab5a3787c415ee13dc4",
        "4, Q6_K, eb3a394039a3ccfdea87c175af9284bd526bd0a18c96763b53185f1a8fcc3d0c, e10a1ea56e3be5131a9e3603abb48013253e3fe6971ca97bb2681798f59d6fb9",
        "4, Q8_0, 7f2b0d57fa9f6e1af408b66d9df28a4215206296f756bcd1bd8225168a05a2a9, f996de00b9d0b506e69e42d9cb2db639de2ba28639670f93c112e54c52c00deb",
        "5, Q6_K, d04c4681e65e1e16901659117a318f98047e9248685e8531388e305474593451, 3e746ce9c7b01249942baa8d1daf9d20527d6613ca6484f7d7c18c5e196a9e11",
        "5, Q8_0, 67a8edb3c6307cec4987654b305c0a61f59c66939315944585038e5b40291e92, 5096e7f12d2712d61959283e2754dd4383ec990f58f314546606b5c02544bcf0",
        "6, Q6_K, abf4d6c4443d13d24f45b1217613c070ec8fb0f50f103a9585d9f8c200d10c05, 7be1fa9b9be8c2395816a383365d0b9d910528f6bfb296a3ca84ee56bc1d3708",
        "6, Q8_0, 0d652c431ac954611c904da717cd69a5a67532c62989f9ee04a6ea4227efa494, 953411aafa00300cc4ac15f41385a44046300ab8929bfb213511e800efe9625b",
        "7, Q6_K, 18624194eafd91b47e12dc601722ee5bb8556a00415740a7e05ef912907d6fa1, 01256a82909e1d45a324d5328f0b5ebdd313c352c74c5d4542bb8238e314efa4",
        "7, Q8_0, 4e09354e91550b95b52238cc827b28c6a6e813e6cf53248ddb96b39262a6a4c0, 1b2003ebb05c8ac0fdf355f72eb734c9dc0c74a8e242b496c357a501bf7faaf2"
    })
    void theBytesAreGgmls(int kind, GgmlType type, String quantized, String dequantized) throws Exception {
        BlockQuantizer quantizer = BlockQuantizer.of(type);
        float[] values = numbers(kind);
        byte[] bytes = new byte[COUNT / type.blockSize() * type.blockBytes()];
        quantizer.quantize(values, 0, COUNT, MemorySegment.ofArray(bytes), 0);
        assertThat(sha256(bytes)).isEqualTo(quantized);

        float[] back = new float[COUNT];
        quantizer.dequantize(MemorySegment.ofArray(bytes), 0, COUNT, back, 0);
        ByteBuffer floats = ByteBuffer.allocate(4 * COUNT).order(ByteOrder.LITTLE_ENDIAN);
        floats.asFloatBuffer().put(back);
        assertThat(sha256(floats.array())).isEqualTo(dequantized);
    }

    /** Blocks do not know their neighbours: any pieces, at any place, give the same bytes. */
    @ParameterizedTest
    @EnumSource(value = GgmlType.class, names = {"Q8_0", "Q6_K"})
    void piecesGiveTheSameBytes(GgmlType type) {
        float[] values = numbers(1);
        int bytes = COUNT / type.blockSize() * type.blockBytes();
        MemorySegment whole = MemorySegment.ofArray(new byte[bytes]);
        MemorySegment pieces = MemorySegment.ofArray(new byte[bytes + 7]);
        BlockQuantizer.of(type).quantize(values, 0, COUNT, whole, 0);
        BlockQuantizer quantizer = BlockQuantizer.of(type);
        int step = 768;
        for (int from = COUNT / step * step; from >= 0; from -= step) {
            int count = Math.min(step, COUNT - from);
            quantizer.quantize(values, from, count, pieces, 7 + (long) from / type.blockSize() * type.blockBytes());
        }
        assertThat(pieces.asSlice(7).mismatch(whole)).isEqualTo(-1);

        float[] all = new float[COUNT];
        float[] part = new float[COUNT];
        quantizer.dequantize(whole, 0, COUNT, all, 0);
        quantizer.dequantize(pieces, 7 + 2L * 256 / type.blockSize() * type.blockBytes(), 256, part, 512);
        assertThat(Arrays.copyOfRange(part, 512, 768)).isEqualTo(Arrays.copyOfRange(all, 512, 768));
    }

    @ParameterizedTest
    @EnumSource(value = GgmlType.class, names = {"Q8_0", "Q6_K"})
    void whatCannotBeHeldIsRefused(GgmlType type) {
        BlockQuantizer quantizer = BlockQuantizer.of(type);
        MemorySegment out = MemorySegment.ofArray(new byte[1024]);
        for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -1e9f}) {
            float[] values = new float[256];
            values[77] = value;
            assertThatThrownBy(() -> quantizer.quantize(values, 0, 256, out, 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("beyond the range of " + type);
        }
        assertThatThrownBy(() -> quantizer.quantize(new float[256], 0, 100, out, 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(quantizer.obstacle(3, 2560)).isEmpty();
        assertThat(quantizer.obstacle(3, 2560 + 16)).get().asString().contains("2576 columns");
        float[] large = new float[256];
        large[3] = type == GgmlType.Q8_0 ? -8.3e6f : -2.5e8f;
        quantizer.quantize(large, 0, 256, out, 0);
        float[] back = new float[256];
        quantizer.dequantize(out, 0, 256, back, 0);
        assertThat(back[3]).isCloseTo(large[3], org.assertj.core.data.Percentage.withPercentage(0.5));
    }

    @Test
    void otherTypesHaveNoQuantizer() {
        assertThat(BlockQuantizer.supports(GgmlType.Q6_K)).isTrue();
        assertThat(BlockQuantizer.supports(GgmlType.Q4_0)).isFalse();
        assertThatThrownBy(() -> BlockQuantizer.of(GgmlType.Q4_0)).isInstanceOf(IllegalArgumentException.class);
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
