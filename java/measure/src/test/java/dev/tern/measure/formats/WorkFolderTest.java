package dev.tern.measure.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkFolderTest {
    @TempDir
    Path folder;

    @Test
    void temporaryFoldersGoAndSoDoThoseThatAKilledRunLeft() throws IOException {
        WorkFolder first = WorkFolder.temporary();
        Files.writeString(first.path().resolve("m.gguf"), "x");
        Path left = Files.createDirectory(first.path().resolveSibling("left"));
        Files.writeString(left.resolve("m.gguf"), "x");
        WorkFolder second = WorkFolder.temporary();
        assertThat(left).doesNotExist();
        assertThat(first.path().resolve("m.gguf")).as("a folder in use").exists();
        second.finish();
        second.close();
        first.close();
        assertThat(first.path()).doesNotExist();
        assertThat(second.path()).doesNotExist();
    }

    @Test
    void aKeptFolderStaysWhenTheWorkIsDone() throws IOException {
        Path kept = folder.resolve("a/b");
        try (WorkFolder work = WorkFolder.keep(kept)) {
            Files.writeString(kept.resolve("m.gguf"), "x");
            work.finish();
        }
        assertThat(kept.resolve("m.gguf")).exists();
        assertThatThrownBy(() -> WorkFolder.keep(kept))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("an empty or a new folder")
                .hasMessageContaining("--keep");
        assertThatThrownBy(() -> WorkFolder.keep(kept.resolve("m.gguf"))).isInstanceOf(InputException.class);
    }

    @Test
    void brokenOffWorkLeavesNothingInAKeptFolder() throws IOException {
        Path kept = Files.createDirectory(folder.resolve("kept"));
        try (WorkFolder work = WorkFolder.keep(kept)) {
            Files.writeString(work.path().resolve("m.gguf"), "x");
        }
        assertThat(kept).isEmptyDirectory();
    }
}
