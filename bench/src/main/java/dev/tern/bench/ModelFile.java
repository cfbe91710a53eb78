package dev.tern.bench;

import dev.tern.Model;
import dev.tern.ModelOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A model for a benchmark: the file a parameter names, or a small one that is made for it and deleted with it. */
final class ModelFile implements AutoCloseable {
    private final @Nullable SyntheticModel synthetic;
    private final Model model;

    /**
     * @param file path, or empty
     * @param layers of the one that is made
     */
    ModelFile(String file, int layers, ModelOptions options) throws IOException {
        synthetic = file.isEmpty() ? new SyntheticModel(layers) : null;
        model = Model.load(synthetic == null ? Path.of(file) : synthetic.file(), options);
    }

    Model model() {
        return model;
    }

    /** Where it was made. */
    @Nullable Path folder() {
        return synthetic == null ? null : synthetic.folder();
    }

    @Override
    public void close() throws IOException {
        model.close();
        if (synthetic != null) {
            synthetic.close();
        }
    }
}
