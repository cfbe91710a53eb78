package dev.tern.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import org.junit.jupiter.api.Test;

class WireTest {
    @Test
    void aDayHasTwoDigits() {
        assertThat(Wire.date(ZonedDateTime.of(1994, 11, 6, 8, 49, 37, 0, ZoneOffset.UTC)))
                .isEqualTo("Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
