package dev.tern.checkpoint;

import dev.tern.io.InputException;
import dev.tern.io.PickleFile;
import dev.tern.safetensors.SafetensorsFile;
import dev.tern.safetensors.SafetensorsTensor;
import dev.tern.safetensors.ShardIndex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a checkpoint: one safetensors file, or the shards that model.safetensors.index.json maps its tensors
 * to. Other files in the folder are left alone and named in the notes.
 */
final class CheckpointFiles implements AutoCloseable {
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = ShardIndex.NAME;

    private final Path folder;
    private final Path weights;
    private final Map<String, SafetensorsFile> files = new LinkedHashMap<>();
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    private CheckpointFiles(Path folder, Path weights) {
        this.folder = folder;
        this.weights = weights;
    }

    /**
     * Opens the weights in a folder, or one weights file.
     *
     * @throws InputException when there are none, or what is there is damaged or no safetensors
     */
    static CheckpointFiles open(Path path) {
        if (!Files.exists(path)) {
            throw InputException.at(path).problem("no such file or folder").cure("Check the path.").exception();
        }
        boolean isFolder = Files.isDirectory(path);
        Path weights = isFolder ? weightsIn(path) : path;
        Path parent = weights.toAbsolutePath().normalize().getParent();
        CheckpointFiles files = new CheckpointFiles(isFolder || parent == null ? path : parent, weights);
        try {
            if (weights.endsWith(INDEX)) {
                files.addShards();
            } else if (PickleFile.isNamed(name(weights))) {
                throw pickle(weights);
            } else {
                files.addWhole(files.file(weights.getFileName().toString(), weights));
            }
            if (isFolder) {
                files.noteStrays();
            }
            return files;
        } catch (RuntimeException | Error e) {
            files.close();
            throw e;
        }
    }

    /** As transformers chooses: the single file before the index. */
    private static Path weightsIn(Path folder) {
        if (Files.exists(folder.resolve(SINGLE))) {
            return folder.resolve(SINGLE);
        }
        if (Files.exists(folder.resolve(INDEX))) {
            return folder.resolve(INDEX);
        }
        List<Path> found = list(folder);
        Optional<Path> pickle = found.stream().filter(file -> PickleFile.isNamed(name(file))).findFirst();
        if (pickle.isPresent()) {
            throw pickle(pickle.get());
        }
        List<String> other = found.stream().filter(CheckpointFiles::isSafetensors).map(CheckpointFiles::name).toList();
        throw InputException.at(folder)
                .problem("the folder holds no weights")
                .expected(SINGLE + " or " + INDEX)
                .found(other.isEmpty() ? "neither" : String.join(", ", other.subList(0, Math.min(5, other.size()))))
                .cure(other.isEmpty()
                        ? "Give the folder into which the model was downloaded."
                        : "Give the path of the safetensors file itself.")
                .exception();
    }

    private static boolean isSafetensors(Path file) {
        return name(file).endsWith(".safetensors");
    }

    private static String name(Path file) {
        return file.getFileName().toString();
    }

    private static InputException pickle(Path file) {
        return InputException.at(file)
                .problem("PyTorch's pickle format is not read, as it can run code")
                .expected("safetensors")
                .cure("Download the safetensors files of this model, or load it in transformers once and save it with"
                        + " save_pretrained(folder, safe_serialization=True).")
                .exception();
    }

    private static List<Path> list(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw InputException.at(folder).problem("cannot be listed", e).exception(e);
        }
    }

    private void addWhole(SafetensorsFile file) {
        file.tensors().forEach((name, tensor) -> tensors.put(name, new StoredTensor(file, tensor)));
    }

    private void addShards() {
        for (Map.Entry<String, String> entry : ShardIndex.read(weights).weightMap().entrySet()) {
            SafetensorsFile shard = shard(entry.getValue());
            SafetensorsTensor tensor = shard.find(entry.getKey()).orElseThrow(() -> InputException.at(shard.path())
                    .tensor(entry.getKey())
                    .problem("is missing, though " + INDEX + " places it here")
                    .cure("The shards belong to different versions: download them all again.")
                    .exception());
            tensors.put(entry.getKey(), new StoredTensor(shard, tensor));
        }
        for (SafetensorsFile shard : files.values()) {
            long unmapped = shard.tensors().keySet().stream().filter(name -> !tensors.containsKey(name)).count();
            if (unmapped > 0) {
                notes.add(shard.path().getFileName() + ": " + unmapped + " tensors that " + INDEX
                        + " does not list are ignored");
            }
        }
    }

    private SafetensorsFile shard(String name) {
        SafetensorsFile open = files.get(name);
        if (open != null) {
            return open;
        }
        Path file = folder.resolve(name);
        if (!Files.exists(file)) {
            throw InputException.at(file)
                    .problem("no such file, though " + INDEX + " maps tensors to it")
                    .cure("The download is incomplete: fetch this shard.")
                    .exception();
        }
        return file(name, file);
    }

    private SafetensorsFile file(String name, Path path) {
        SafetensorsFile file = SafetensorsFile.open(path);
        files.put(name, file);
        return file;
    }

    private void noteStrays() {
        List<String> strays = list(folder).stream()
                .filter(file -> isSafetensors(file) && !files.containsKey(name(file)))
                .map(CheckpointFiles::name)
                .toList();
        if (!strays.isEmpty()) {
            notes.add("not part of the model and ignored: "
                    + String.join(", ", strays.subList(0, Math.min(5, strays.size())))
                    + (strays.size() > 5 ? " and " + (strays.size() - 5) + " more" : ""));
        }
    }

    /** The folder that holds the weights and config.json. */
    Path folder() {
        return folder;
    }

    /** The weights file, or the index of the shards. */
    Path weights() {
        return weights;
    }

    /** Every weights file, in the order of first use. */
    List<SafetensorsFile> files() {
        return List.copyOf(files.values());
    }

    /** The tensors by their Hugging Face names. */
    Map<String, StoredTensor> tensors() {
        return tensors;
    }

    @Nullable StoredTensor find(String name) {
        return tensors.get(name);
    }

    List<String> notes() {
        return notes;
    }

    @Override
    public void close() {
        files.values().forEach(SafetensorsFile::close);
    }
}
