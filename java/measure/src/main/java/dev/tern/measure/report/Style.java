package dev.tern.measure.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** The style sheets of reports. */
final class Style {
    private Style() {}

    /** Of charts, and the colours of all. */
    static String charts() {
        return read("chart.css");
    }

    /** Of the page around them. */
    static String page() {
        return read("report.css");
    }

    private static String read(String name) {
        try (InputStream in = Style.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
