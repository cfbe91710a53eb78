package dev.tern.server;

import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.convert.Converter;
import dev.tern.template.NamedTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The trained model of the test data, loaded once for all tests of this JVM. */
public final class TinyModel {
    public static final Path FOLDER = Path.of(System.getProperty("tern.testdata")).resolve("tiny-bitnet/packed-u8");

    private TinyModel() {}

    public static Model model() {
        return Loaded.MODEL;
    }

    /** The same model with another chat template and a longer context; the caller's to close. */
    public static Model model(NamedTemplate template) {
        return Model.load(
                Loaded.MODEL.info().path(),
                ModelOptions.builder()
                        .chatTemplate(template.template())
                        .contextLength(2048) // what tools are described with is long in so few tokens
                        .build());
    }

    private static final class Loaded {
        static final Model MODEL = load();

        private static Model load() {
            try {
                Path folder = Files.createTempDirectory("tern-server-test");
                Path file = folder.resolve("tiny.gguf");
                file.toFile().deleteOnExit();
                folder.toFile().deleteOnExit();
                Converter.from(FOLDER).to(file);
                return Model.load(file);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }
}
