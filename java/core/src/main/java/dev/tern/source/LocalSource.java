package dev.tern.source;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A folder, or a safetensors file, on this machine. */
record LocalSource(Path path) implements ModelSource {

    @Override
    public boolean remote() {
        return false;
    }

    @Override
    public String name() {
        Path folder = folder();
        return folder.getFileName() == null ? "model" : folder.getFileName().toString();
    }

    private Path folder() {
        Path absolute = path.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        return Files.isRegularFile(absolute) && parent != null ? parent : absolute;
    }

    @Override
    public String label() {
        return path.toString();
    }

    /** Only names it: whether it is there shows when it is opened. */
    @Override
    public FetchedModel fetch(FetchOptions options) {
        return new FetchedModel(path, folder(), label(), Optional.empty(), 0, List.of());
    }
}
