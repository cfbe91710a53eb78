package dev.tern.tune;

import dev.tern.codegen.PlannedKernel;
import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.lut.CacheKey;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Measurements that are kept: for each shape a file in the cache, {@code tiles-<shape>-<hash>.json}, whose hash is over
 * all that the speeds depend on.
 */
final class TuningStore {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private final Path cache;
    private final String machine;

    /** @param machine processor, instruction set, threads: what the speeds depend on beside the kernels */
    TuningStore(Path cache, String machine) {
        this.cache = cache;
        this.machine = machine;
    }

    /** Where the measurements of these tiles lie or will lie. */
    Path file(List<PlannedKernel> tiles, String sources) {
        String key = machine + "\n" + sources + "\n" + tiles;
        PlannedKernel first = tiles.getFirst();
        return cache.resolve(
                "tiles-" + first.format().label() + "-" + first.shape() + "-" + CacheKey.of(key) + ".json");
    }

    /** What was measured of exactly these tiles; empty when nothing was or the file is damaged. */
    static Optional<List<TimedTile>> read(Path file, List<PlannedKernel> tiles) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            JsonNode entries = JsonFile.read(file).path("tiles");
            if (entries.size() != tiles.size()) {
                return Optional.empty();
            }
            List<TimedTile> timed = new ArrayList<>();
            for (int i = 0; i < tiles.size(); i++) {
                JsonNode entry = entries.path(i);
                if (!entry.path("tile").asString("").equals(tiles.get(i).tile().toString())) {
                    return Optional.empty();
                }
                timed.add(new TimedTile(
                        tiles.get(i).tile(), entry.path("decode").asDouble(0), entry.path("prefill").asDouble(0)));
            }
            return Optional.of(timed);
        } catch (InputException | IllegalArgumentException e) {
            return Optional.empty(); // measured again
        }
    }

    /** @throws InputException when it cannot be written */
    void write(Path file, PlannedKernel kernel, List<TimedTile> timed) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("format", kernel.format().label());
        root.put("shape", kernel.shape().toString());
        root.put("machine", machine);
        ArrayNode entries = root.putArray("tiles");
        for (TimedTile tile : timed) {
            entries.addObject()
                    .put("tile", tile.tile().toString())
                    .put("decode", tile.decode())
                    .put("prefill", tile.prefill());
        }
        String text = MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
        try (AtomicFile out = AtomicFile.create(file, true)) {
            out.write(MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8)));
            out.commit();
        }
    }
}
