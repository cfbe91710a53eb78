package dev.tern.server.llama;

import dev.tern.io.InputException;
import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import dev.tern.server.slots.Completions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code POST /slots/ID?action=save|restore|erase}. A file is one plain name in the folder that the server was started
 * with: it has no separators and does not begin with a dot, so it can lead nowhere else.
 */
public final class SlotFilesEndpoint implements Endpoint {
    public static final String PREFIX = "/slots/";

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}");

    @Override
    public void answer(Call call) throws IOException, InterruptedException {
        int slot = slot(call);
        Completions completions = call.served().completions();
        String action = call.query().getOrDefault("action", "");
        long start = System.nanoTime();
        ObjectNode answer = Json.object().put("id_slot", slot);
        switch (action) {
            case "save" -> {
                Path file = file(call);
                int tokens = save(completions, slot, file);
                answer.put("filename", name(file)).put("n_saved", tokens).put("n_written", size(file));
                answer.putObject("timings").put("save_ms", millisSince(start));
            }
            case "restore" -> {
                Path file = file(call);
                if (!Files.isRegularFile(file)) {
                    throw ApiException.invalid("filename", "filename: there is no such file");
                }
                long bytes = size(file);
                int tokens = restore(completions, slot, file);
                answer.put("filename", name(file)).put("n_restored", tokens).put("n_read", bytes);
                answer.putObject("timings").put("restore_ms", millisSince(start));
            }
            case "erase" -> answer.put("n_erased", completions.erase(slot));
            default -> throw ApiException.invalid("action", "action: expected save, restore or erase");
        }
        call.json(answer);
    }

    /** What is wrong with the folder is not the client's fault, nor its business. */
    private static int save(Completions completions, int slot, Path file) throws InterruptedException {
        try {
            return completions.save(slot, file);
        } catch (InputException e) {
            throw new IllegalStateException("a slot cannot be saved", e);
        }
    }

    private static int restore(Completions completions, int slot, Path file) throws InterruptedException {
        try {
            return completions.restore(slot, file);
        } catch (InputException e) { // its message has the folder
            throw ApiException.invalid(
                    "filename", "filename: " + name(file) + " is damaged, or no slot of this model and context");
        }
    }

    private static int slot(Call call) {
        String id = call.path().substring(PREFIX.length());
        int slots = call.served().completions().slots().size();
        if (!id.matches("\\d{1,9}") || Integer.parseInt(id) >= slots) {
            throw ApiException.notFound("there is no such slot; they are 0 to " + (slots - 1));
        }
        return Integer.parseInt(id);
    }

    private static Path file(Call call) {
        Path folder = call.options()
                .slotSavePath()
                .orElseThrow(() -> ApiException.notSupported(
                        "the server does not save slots: start it with --slot-save-path FOLDER"));
        Fields body = call.body();
        String name = body.requiredText("filename");
        if (!NAME.matcher(name).matches()) {
            throw body.wrong("filename", "a name of letters, digits, dots, hyphens and underscores");
        }
        return folder.resolve(name);
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }

    private static double millisSince(long start) {
        return (System.nanoTime() - start) * 1e-6;
    }
}
