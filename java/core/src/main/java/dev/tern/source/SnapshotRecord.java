package dev.tern.source;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a folder of fetched files is, kept as {@code .tern/snapshot.json} in it.
 *
 * @param source where the files came from, without anything secret
 * @param revision of it
 * @param inWords the revision for people
 * @param files that belong there, by name, whether they are there yet or not
 * @param complete what is all there: {@code config}, {@code weights}, {@code weights NAME}
 */
record SnapshotRecord(
        String source,
        String revision,
        String inWords,
        SequencedMap<String, Entry> files,
        SequencedSet<String> complete) {

    private static final int VERSION = 1;

    /**
     * A file.
     *
     * @param size in bytes, or -1 when it was not known before the file was there
     * @param identity of its contents
     */
    record Entry(long size, String identity) {}

    static SnapshotRecord empty(String source, String revision, String inWords) {
        return new SnapshotRecord(source, revision, inWords, new LinkedHashMap<>(), new LinkedHashSet<>());
    }

    ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("version", VERSION).put("source", source).put("revision", revision).put("revision_in_words", inWords);
        ObjectNode entries = json.putObject("files");
        for (Map.Entry<String, Entry> file : files.entrySet()) {
            entries.putObject(file.getKey())
                    .put("bytes", file.getValue().size())
                    .put("identity", file.getValue().identity());
        }
        ArrayNode array = json.putArray("complete");
        complete.forEach(array::add);
        return json;
    }

    /** From JSON; empty when it is of another version. */
    static Optional<SnapshotRecord> of(ObjectNode json) {
        if (json.path("version").asInt(0) != VERSION) {
            return Optional.empty();
        }
        SnapshotRecord record = empty(
                json.path("source").asString(""),
                json.path("revision").asString(""),
                json.path("revision_in_words").asString(""));
        for (Map.Entry<String, JsonNode> file : json.path("files").properties()) {
            record.files.put(
                    file.getKey(),
                    new Entry(
                            file.getValue().path("bytes").asLong(-1),
                            file.getValue().path("identity").asString("")));
        }
        json.path("complete").forEach(what -> record.complete.add(what.asString("")));
        return Optional.of(record);
    }
}
