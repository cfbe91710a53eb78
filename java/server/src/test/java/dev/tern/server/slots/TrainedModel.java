package dev.tern.server.slots;

import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.convert.Converter;
import dev.tern.io.JsonFile;
import dev.tern.template.ChatMessage;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** The trained model of the repository, which tells fables when it is asked. */
final class TrainedModel {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));
    private static final JsonNode FABLES = JsonFile.read(DATA.resolve("golden/fables.json")).path("fables");

    private TrainedModel() {}

    static Path write(Path folder) {
        Path file = folder.resolve("model.gguf");
        Converter.from(DATA.resolve("tiny-bitnet/packed-u8")).to(file);
        return file;
    }

    static Model load(Path file, ModelOptions.Builder options) {
        return Model.load(file, options.build());
    }

    /** The tokens that ask for a fable. */
    static int[] question(Model model, int fable) {
        String title = FABLES.path(fable % FABLES.size()).path("title").asString();
        return model.chatPrompt(List.of(new ChatMessage("user", "Tell me the fable of " + title + ".")));
    }

    /** How the model tells it. */
    static String fable(int fable) {
        return FABLES.path(fable % FABLES.size()).path("greedy_text").asString();
    }

    /** Tokens of many fables one after the other, {@code count} of them, that begin with the given one. */
    static int[] longPrompt(Model model, int first, int count) {
        int[] ids = new int[count];
        int have = 0;
        for (int fable = first; have < count; fable++) {
            int[] more = model.tokenizer().encode(fable(fable) + "\n", false, false);
            int taken = Math.min(more.length, count - have);
            System.arraycopy(more, 0, ids, have, taken);
            have += taken;
        }
        return ids;
    }
}
