package dev.tern.cli;

import dev.tern.io.JsonFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** The fables that the model of {@code tern demo} learnt by heart, for telling whether it tells one right. */
record Fables(List<Fable> all) {

    /**
     * One of them.
     *
     * @param title as the prompt names it
     * @param text as it was taught
     */
    record Fable(String title, String text) {
        /** What a user says to hear it. */
        String request() {
            return "Tell me the fable of " + title + ".";
        }
    }

    static Fables packaged() {
        try (InputStream in = Fables.class.getResourceAsStream("demo/fables.json")) {
            List<Fable> fables = new ArrayList<>();
            for (JsonNode fable : JsonFile.parse(in.readAllBytes(), "demo/fables.json").path("fables")) {
                fables.add(new Fable(fable.path("title").asString(), fable.path("greedy_text").asString()));
            }
            return new Fables(List.copyOf(fables));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The fable of this title, or the only one whose title contains the words; letter case is no matter. */
    Optional<Fable> find(String title) {
        String wanted = title.strip().toLowerCase(Locale.ROOT);
        List<Fable> near = new ArrayList<>();
        for (Fable fable : all) {
            String candidate = fable.title().toLowerCase(Locale.ROOT);
            if (candidate.equals(wanted)) {
                return Optional.of(fable);
            }
            if (!wanted.isEmpty() && candidate.contains(wanted)) {
                near.add(fable);
            }
        }
        return near.size() == 1 ? Optional.of(near.getFirst()) : Optional.empty();
    }
}
