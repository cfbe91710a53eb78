package dev.tern.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class FindingKindTest {
    /** The document's second column lists every id, and none that does not exist. */
    @Test
    void everyIdIsDocumented() throws IOException {
        String document = Files.readString(Path.of(System.getProperty("tern.testdata")).resolve("../docs/inspect.md"));
        TreeSet<String> documented = new TreeSet<>();
        for (String line : document.lines().filter(row -> row.startsWith("| ")).skip(1).toList()) {
            Pattern.compile("`([a-z0-9-]+)`").matcher(line.split("(?<!\\\\)\\|")[2]).results()
                    .forEach(id -> documented.add(id.group(1)));
        }
        assertThat(documented)
                .isEqualTo(Arrays.stream(FindingKind.values())
                        .map(FindingKind::id)
                        .collect(Collectors.toCollection(TreeSet::new)));
    }
}
