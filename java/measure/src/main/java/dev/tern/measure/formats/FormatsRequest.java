package dev.tern.measure.formats;

import dev.tern.gguf.GgmlType;
import dev.tern.measure.rivals.Rivals;
import dev.tern.ternary.Outtype;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What is to be compared, and how.
 *
 * @param checkpoint a folder on this machine, or its one safetensors file
 * @param source where it came from, in the user's words
 * @param name of the files that are made of it
 * @param outtypes in the order of the report; empty for all that the model allows
 * @param embeddingType of the embedding and an untied head
 * @param architecture of the files, as {@link dev.tern.convert.Converter#architecture} takes it
 * @param prompt tokens of the prompt test, 0 for none
 * @param generated tokens of the generation test, 0 for none
 * @param threads numbers of threads
 * @param rounds turns of each format
 * @param limits whether the machine's limits are measured, before the rounds and after them
 * @param rivals other engines that take turns with the formats
 * @param text that quality is measured on; empty for no quality
 * @param folder that the files are kept in; empty for a temporary one
 */
public record FormatsRequest(
        Path checkpoint,
        String source,
        String name,
        List<Outtype> outtypes,
        GgmlType embeddingType,
        String architecture,
        int prompt,
        int generated,
        List<Integer> threads,
        int rounds,
        boolean limits,
        Optional<Rivals> rivals,
        Optional<Text> text,
        Optional<Path> folder) {

    /**
     * A text.
     *
     * @param name for the report
     * @param tokens of it that are used at most
     */
    public record Text(String name, String content, int tokens) {}

    public FormatsRequest {
        outtypes = List.copyOf(outtypes);
        threads = List.copyOf(threads);
    }
}
