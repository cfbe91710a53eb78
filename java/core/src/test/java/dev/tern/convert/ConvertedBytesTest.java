package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.gguf.GgufFile;
import dev.tern.io.JsonFile;
import dev.tern.ternary.Outtype;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** The bytes that conversions give, which no number of threads changes, nor a change of the program. */
class ConvertedBytesTest {
    private static final Path TESTDATA = Path.of(System.getProperty("tern.testdata"));

    @TempDir
    Path folder;

    static List<Arguments> recorded() {
        List<Arguments> cases = new ArrayList<>();
        for (Map.Entry<String, JsonNode> checkpoint : recordedHashes().properties()) {
            for (Map.Entry<String, JsonNode> outtype : checkpoint.getValue().properties()) {
                cases.add(Arguments.of(checkpoint.getKey(), outtype.getKey()));
            }
        }
        assertThat(cases).hasSizeGreaterThanOrEqualTo(16);
        return cases;
    }

    private static JsonNode recordedHashes() {
        return JsonFile.read(TESTDATA.resolve("golden/converted_data.json"));
    }

    /** The data section alone: metadata may grow. */
    @ParameterizedTest
    @MethodSource("recorded")
    void tensorDataIsWhatItWasWhateverTheNumberOfThreads(String checkpoint, String outtype) throws Exception {
        for (int threads : new int[] {1, 2, 3}) {
            Path gguf = folder.resolve(threads + ".gguf");
            Converter.from(TESTDATA.resolve("tiny-bitnet").resolve(checkpoint))
                    .outtype(Outtype.parse(outtype))
                    .threads(threads)
                    .to(gguf);
            assertThat(dataSha256(gguf))
                    .as("%d threads", threads)
                    .isEqualTo(recordedHashes().get(checkpoint).get(outtype).stringValue());
            assertThat(Files.mismatch(gguf, folder.resolve("1.gguf"))).isEqualTo(-1);
        }
    }

    private static String dataSha256(Path gguf) throws Exception {
        int start;
        try (GgufFile file = GgufFile.open(gguf)) {
            start = Math.toIntExact(file.dataStart());
        }
        byte[] bytes = Files.readAllBytes(gguf);
        return HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(Arrays.copyOfRange(bytes, start, bytes.length)));
    }

    @Test
    void reportsDoNotDependOnThreadsEither() {
        Path packed = TESTDATA.resolve("tiny-bitnet/packed-u8");
        ConversionReport one = Converter.from(packed).threads(1).to(folder.resolve("one.gguf"));
        ConversionReport three = Converter.from(packed).threads(3).to(folder.resolve("three.gguf"));
        assertThat(three.tensors()).isEqualTo(one.tensors());
        assertThat(three.sha256()).isEqualTo(one.sha256());
        assertThat(three.notes()).isEqualTo(one.notes());
        assertThatThrownBy(() -> Converter.from(packed).threads(0)).isInstanceOf(IllegalArgumentException.class);
    }
}
