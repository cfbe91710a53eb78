package dev.tern.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A generated header that stands in the repository, because C is built from it where no Java runs.
 * {@code -Dtern.regenerate=true} writes it anew instead of comparing.
 */
record CommittedHeader(Path file) {

    /** In a folder of the repository. */
    static CommittedHeader at(String folder) {
        return new CommittedHeader(
                Path.of(System.getProperty("tern.root")).resolve(folder).resolve(HeaderGenerator.FILE_NAME));
    }

    void holds(String generated) throws IOException {
        if (Boolean.getBoolean("tern.regenerate")) {
            Files.writeString(file, generated);
        }
        assertThat(Files.readString(file))
                .as("%s is stale: mvn -pl codegen test -Dtern.regenerate=true writes it anew", file)
                .isEqualTo(generated);
    }
}
