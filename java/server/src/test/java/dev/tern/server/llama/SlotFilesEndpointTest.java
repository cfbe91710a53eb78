package dev.tern.server.llama;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.server.ServerOptions;
import dev.tern.server.TestServer;
import dev.tern.server.slots.SlotOptions;
import dev.tern.server.slots.Slots;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class SlotFilesEndpointTest {
    @TempDir
    private Path folder;

    @Test
    void slotsAreSavedRestoredAndErased() throws IOException {
        try (TestServer server =
                new TestServer(ServerOptions.builder().slotSavePath(folder)).serveScript()) {
            JsonNode saved = server.json(server.post("/slots/0?action=save", "{'filename': 'chat-1.bin'}"));
            assertThat(saved.path("n_saved").asInt()).isEqualTo(7);
            assertThat(saved.path("n_written").asInt()).isEqualTo(5);
            assertThat(saved.path("filename").asString()).isEqualTo("chat-1.bin");
            assertThat(folder.resolve("chat-1.bin")).exists();
            JsonNode restored = server.json(server.post("/slots/0?action=restore", "{'filename': 'chat-1.bin'}"));
            assertThat(restored.path("n_restored").asInt()).isEqualTo(7);
            assertThat(restored.path("n_read").asInt()).isEqualTo(5);
            assertThat(server.json(server.post("/slots/0?action=erase", "")).path("n_erased").asInt()).isEqualTo(7);
            server.error(server.post("/slots/0?action=other", "{}"), 400, "invalid_request_error");
            server.error(server.post("/slots/1?action=erase", ""), 404, "not_found_error");
            server.error(server.post("/slots/x?action=erase", ""), 404, "not_found_error");
            server.error(
                    server.post("/slots/0?action=restore", "{'filename': 'other'}"), 400, "invalid_request_error");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", ".", "..", ".hidden", "../x", "a/b", "/etc/passwd", "a\\\\b", "C:x", "a b", "ä", "a\\u0000"})
    void aNameThatCouldLeadElsewhereIsRefused(String name) throws IOException {
        try (TestServer server =
                new TestServer(ServerOptions.builder().slotSavePath(folder)).serveScript()) {
            for (String action : new String[] {"save", "restore"}) {
                JsonNode error = server.error(
                        server.post("/slots/0?action=" + action, "{'filename': '" + name + "'}"),
                        400,
                        "invalid_request_error");
                assertThat(error.path("param").asString()).isEqualTo("filename");
            }
            assertThat(folder).isEmptyDirectory();
        }
    }

    @Test
    void noAnswerSaysWhereTheFolderIs() throws Exception {
        Path gone = Files.createDirectory(folder.resolve("saved-slots"));
        try (TestServer server = new TestServer(ServerOptions.builder().slotSavePath(gone));
                Slots slots = Slots.open(server.model, new SlotOptions(1, 1))) {
            server.server().serve(server.model, slots);
            Files.writeString(gone.resolve("damaged"), "no slot");
            HttpResponse<String> damaged = server.post("/slots/0?action=restore", "{'filename': 'damaged'}");
            server.error(damaged, 400, "invalid_request_error");
            assertThat(damaged.body()).contains("damaged").doesNotContain("saved-slots");
            Files.delete(gone.resolve("damaged"));
            Files.delete(gone);
            HttpResponse<String> unwritten = server.post("/slots/0?action=save", "{'filename': 'chat'}");
            server.error(unwritten, 500, "server_error");
            assertThat(unwritten.body()).doesNotContain("saved-slots");
            assertThat(server.log).noneMatch(line -> line.contains("saved-slots"));
        }
    }

    @Test
    void withoutAFolderNothingIsSaved() throws IOException {
        try (TestServer server = new TestServer(ServerOptions.builder()).serveScript()) {
            server.error(server.post("/slots/0?action=save", "{'filename': 'a'}"), 501, "not_supported_error");
        }
    }
}
