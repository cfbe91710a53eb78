package dev.tern.inspect;

import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.Severity;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** Files that are something else than their names say, told by their first bytes. */
final class WrongFile {
    private static final int LOOK = 256;

    private WrongFile() {}

    /** What the file is instead of weights; empty when its start tells nothing. */
    static Optional<Finding> recognise(Path file) {
        byte[] start;
        try (InputStream in = Files.newInputStream(file)) {
            start = in.readNBytes(LOOK);
        } catch (IOException e) {
            return Optional.empty(); // whoever opens it says so
        }
        String text = new String(start, StandardCharsets.ISO_8859_1);
        String name = String.valueOf(file.getFileName());
        if (text.startsWith("version https://git-lfs")) {
            return Optional.of(new Finding(
                    FindingKind.LFS_POINTER,
                    Severity.ERROR,
                    name + " is a Git LFS pointer of " + start.length + " bytes, not the file itself: the repository was"
                            + " cloned without Git LFS.",
                    "Run `git lfs install` and `git lfs pull` in the clone, or download the file itself."));
        }
        String lower = text.stripLeading().toLowerCase(Locale.ROOT);
        if (lower.startsWith("<!doctype") || lower.startsWith("<html") || lower.startsWith("<?xml")) {
            return Optional.of(new Finding(
                    FindingKind.WEB_PAGE,
                    Severity.ERROR,
                    name + " is a web page that was saved under this name: the download got an error or a log-in page.",
                    "Get the file again, signed in where the model asks for it; on Hugging Face from /resolve/, not /blob/."));
        }
        if (text.startsWith("PK\u0003\u0004") || text.startsWith("\u0080\u0002")) {
            return Optional.of(new Finding(
                    FindingKind.PICKLE,
                    Severity.ERROR,
                    name + " is a PyTorch pickle, which can run code when it is read; Tern does not read it.",
                    "Download the model's safetensors files, or load it in transformers once and save it with"
                            + " save_pretrained(folder, safe_serialization=True)."));
        }
        if (text.startsWith("lmgg") || text.startsWith("fmgg") || text.startsWith("tjgg")) {
            return Optional.of(new Finding(
                    FindingKind.NOT_GGUF,
                    Severity.ERROR,
                    name + " is a GGML file from before GGUF (August 2023).",
                    "Convert the original checkpoint with `tern convert`."));
        }
        if (name.endsWith(".gguf") && text.length() > 8 && text.charAt(8) == '{') {
            return Optional.of(new Finding(
                    FindingKind.NOT_GGUF,
                    Severity.ERROR,
                    name + " is a safetensors file under a GGUF file's name.",
                    "Rename it, put config.json and tokenizer.json beside it, and convert it with `tern convert`."));
        }
        return Optional.empty();
    }
}
