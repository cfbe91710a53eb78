package dev.tern.cli;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.io.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a setup made and from what, kept as {@code setup.json} beside it: tells the next setup what it need not do again.
 *
 * @param request what was asked for
 * @param file name of the GGUF file, in the record's folder
 * @param bytes its size
 * @param sha256 of it, hexadecimal
 * @param validated whether it was compared with the checkpoint
 */
record SetupRecord(Request request, String file, long bytes, String sha256, boolean validated) {
    static final String FILE_NAME = "setup.json";

    private static final int VERSION = 1;

    /**
     * All that decides the bytes of the file.
     *
     * @param inputs the files of the checkpoint that are read
     * @param configSha256 of config.json
     * @param outtype as typed on the command line
     * @param embeddingType as typed on the command line
     * @param tiles that the matrices are packed with, none where the outtype has no tiles
     */
    record Request(
            List<Input> inputs, String configSha256, String outtype, String embeddingType, List<PlannedKernel> tiles) {

        /** How this differs from an earlier request, a clause each; empty when the same file would come of it. */
        List<String> differences(Request before) {
            List<String> clauses = new ArrayList<>();
            if (!outtype.equals(before.outtype)) {
                clauses.add("the type is " + outtype + ", was " + before.outtype);
            } else {
                clauses.addAll(KernelFiles.differences(tiles, before.tiles));
            }
            if (!embeddingType.equals(before.embeddingType)) {
                clauses.add("the embedding is " + embeddingType + ", was " + before.embeddingType);
            }
            for (Input input : inputs) {
                if (before.inputs.stream().noneMatch(known -> known.name().equals(input.name()))) {
                    clauses.add(input.name() + " is new in the checkpoint");
                } else if (!before.inputs.contains(input)) {
                    clauses.add(input.name() + " of the checkpoint has changed");
                }
            }
            for (Input known : before.inputs) {
                if (inputs.stream().noneMatch(input -> input.name().equals(known.name()))) {
                    clauses.add(known.name() + " is gone from the checkpoint");
                }
            }
            if (!configSha256.equals(before.configSha256)) {
                clauses.add("config.json has other contents");
            }
            return clauses;
        }
    }

    /**
     * A file of a checkpoint.
     *
     * @param name in its folder
     * @param bytes its size
     * @param modified when it was last changed, to the millisecond
     */
    record Input(String name, long bytes, String modified) {}

    /** The weights of a checkpoint, and every file in its folder that can say something about the model. */
    static List<Input> inputs(Checkpoint checkpoint) {
        Set<Path> files = new TreeSet<>(checkpoint.weightFiles());
        try (Stream<Path> all = Files.list(checkpoint.folder())) {
            all.filter(Files::isRegularFile)
                    .filter(file -> file.toString().matches(".*\\.(json|jinja|model)"))
                    .forEach(files::add);
            List<Input> inputs = new ArrayList<>();
            for (Path file : files) {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                String modified = attributes.lastModifiedTime().toInstant().truncatedTo(ChronoUnit.MILLIS).toString();
                inputs.add(new Input(file.getFileName().toString(), attributes.size(), modified));
            }
            return inputs;
        } catch (IOException e) {
            throw InputException.at(checkpoint.folder()).problem("cannot be read", e).exception(e);
        }
    }

    /** SHA-256 of a file, hexadecimal; shows progress where it takes long. */
    static String sha256(Path file, Progress progress) {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = Sha256.digest();
            long total = Files.size(file);
            byte[] chunk = new byte[1 << 20];
            long done = 0;
            for (int count; (count = in.read(chunk)) >= 0; ) {
                digest.update(chunk, 0, count);
                done += count;
                progress.at("check", done, total, "MiB", 1 << 20);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read", e).exception(e);
        }
    }

    /**
     * The record in a file.
     *
     * @throws InputException when there is none, or one that cannot be used, saying why
     */
    static SetupRecord read(Path json) {
        ObjectNode object = JsonFile.read(json);
        if (object.path("version").asInt(0) != VERSION) {
            throw InputException.at(json)
                    .expected("a record of version " + VERSION)
                    .found(JsonFile.shown(object.get("version")))
                    .exception();
        }
        try {
            List<Input> inputs = new ArrayList<>();
            for (JsonNode input : object.path("inputs")) {
                inputs.add(new Input(
                        input.path("name").asString(""), input.path("bytes").asLong(-1), input.path("modified").asString("")));
            }
            List<PlannedKernel> tiles = new ArrayList<>();
            for (JsonNode tile : object.path("tiles")) {
                tiles.add(new PlannedKernel(
                        LutFormat.valueOf(tile.path("format").asString("").toUpperCase(Locale.ROOT)),
                        new MatrixShape(tile.path("m").asInt(0), tile.path("k").asInt(0)),
                        new Tile(tile.path("bm").asInt(0), tile.path("bk").asInt(0), tile.path("bmm").asInt(0))));
            }
            return new SetupRecord(
                    new Request(
                            inputs,
                            object.path("config_sha256").asString(""),
                            object.path("outtype").asString(""),
                            object.path("embedding_type").asString(""),
                            tiles),
                    object.path("file").asString(""),
                    object.path("file_bytes").asLong(-1),
                    object.path("sha256").asString(""),
                    object.path("validated").asBoolean(false));
        } catch (IllegalArgumentException e) {
            throw InputException.at(json).key("tiles").problem("no tiles: " + e.getMessage()).exception(e);
        }
    }

    /** Writes the record, whole or not at all. */
    void write(Path json, Path checkpoint) {
        ObjectNode object = Json.object();
        object.put("version", VERSION);
        object.put("tern", Build.current().version());
        object.put("checkpoint", checkpoint.toAbsolutePath().normalize().toString());
        object.put("config_sha256", request.configSha256());
        ArrayNode inputs = object.putArray("inputs");
        for (Input input : request.inputs()) {
            inputs.addObject().put("name", input.name()).put("bytes", input.bytes()).put("modified", input.modified());
        }
        object.put("outtype", request.outtype());
        object.put("embedding_type", request.embeddingType());
        ConversionText.putTiles(object, request.tiles());
        object.put("file", file);
        object.put("file_bytes", bytes);
        object.put("sha256", sha256);
        object.put("validated", validated);
        AtomicText.write(json, Json.document(object));
    }
}
