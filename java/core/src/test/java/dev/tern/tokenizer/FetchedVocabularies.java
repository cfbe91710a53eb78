package dev.tern.tokenizer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** Vocabularies that may not be kept with the project; testdata/tokenizers/fetch-vocabularies gets them. */
final class FetchedVocabularies {
    private FetchedVocabularies() {}

    /** The vocabulary's folder; without it the test is skipped, or fails where {@code tern.require.vocabularies} is true. */
    static Path folder(String name) {
        return file(name, "tokenizer.json").getParent();
    }

    /** A file of the vocabulary, as {@link #folder}. */
    static Path file(String name, String fileName) {
        Path folder = GoldenCases.TESTDATA.resolve("tokenizers/vocabularies").resolve(name);
        boolean there = Files.exists(folder.resolve(fileName));
        if (!there) {
            String message = "SKIPPED: " + folder + " is not there; testdata/tokenizers/fetch-vocabularies gets it from npm";
            if (Boolean.getBoolean("tern.require.vocabularies")) {
                throw new AssertionError(message);
            }
            System.err.println(message);
            assumeTrue(false, message);
        }
        return folder.resolve(fileName);
    }
}
