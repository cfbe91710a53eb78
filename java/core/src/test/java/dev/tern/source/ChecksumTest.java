package dev.tern.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checksums against published values. */
class ChecksumTest {
    @TempDir
    Path folder;

    /** FIPS 180's "abc"; what {@code git hash-object} gives; RFC 1321's suite; RFC 3720's check value. */
    @ParameterizedTest
    @CsvSource({
        "SHA256, abc, ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "GIT_BLOB, 'hello\n', ce013625030ba8dba906f756967f9e9ca394464a",
        "GIT_BLOB, '', e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "MD5, message digest, f96b697d7cb7938d525a2f31aaf161d0",
        "CRC32C, 123456789, e3069283",
    })
    void areThePublishedOnes(Checksum.Kind kind, String text, String hex) throws Exception {
        Path file = Files.writeString(folder.resolve("file"), text);
        Checksum right = Checksum.ofHex(kind, hex).orElseThrow();
        List<Long> read = new ArrayList<>();
        assertThat(Checksum.check(file, List.of(right), read::add)).isEmpty();
        assertThat(read.stream().mapToLong(Long::longValue).sum()).isEqualTo(text.length());

        char other = hex.charAt(0) == 'f' ? '0' : 'f';
        Checksum wrong = Checksum.ofHex(kind, other + hex.substring(1)).orElseThrow();
        assertThat(Checksum.check(file, List.of(right, wrong), count -> {}))
                .contains(new Checksum.Mismatch(wrong, hex));
    }

    @Test
    void areReadFromHexadecimalAndBase64() {
        assertThat(Checksum.ofBase64(Checksum.Kind.CRC32C, "4waSgw=="))
                .contains(new Checksum(Checksum.Kind.CRC32C, "e3069283"));
        assertThat(Checksum.ofHex(Checksum.Kind.CRC32C, "E3069283"))
                .contains(new Checksum(Checksum.Kind.CRC32C, "e3069283"));
        assertThat(Checksum.ofHex(Checksum.Kind.SHA256, "e3069283")).as("too short").isEmpty();
        assertThat(Checksum.ofBase64(Checksum.Kind.MD5, "no base64!")).isEmpty();
        assertThat(Checksum.ofHex(Checksum.Kind.MD5, "")).isEmpty();
    }
}
