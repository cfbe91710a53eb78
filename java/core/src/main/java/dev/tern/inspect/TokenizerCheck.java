package dev.tern.inspect;

import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufValue;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.io.InputException;
import dev.tern.tokenizer.SpecialToken;
import dev.tern.tokenizer.Vocabulary;
import dev.tern.tokenizer.VocabularyCheck;
import java.util.List;
import java.util.Optional;

/** What is wrong with a tokenizer, by itself or next to the model. */
final class TokenizerCheck {
    private static final String CONVERT = "Convert the original checkpoint with `tern convert`.";

    /** Tern's own description of how text is cut, where {@code tokenizer.ggml.pre} has no word for it. */
    private static final String PIPELINE = "tokenizer.tern.pipeline";

    /** Tokens that only chats have. */
    private static final List<String> TURN_ENDS = List.of("<|eot_id|>", "<|im_end|>", "<end_of_turn>");

    private final InspectionBuilder result;

    TokenizerCheck(InspectionBuilder result) {
        this.result = result;
    }

    /** Checks a GGUF file's {@code tokenizer.*} keys; the vocabulary, when it can be read. */
    Optional<Vocabulary> gguf(GgufFile file) {
        String kind = text(file, "tokenizer.ggml.model");
        String pre = text(file, "tokenizer.ggml.pre");
        if (kind.isEmpty()) {
            result.find(
                    FindingKind.TOKENIZER_MISSING,
                    Severity.ERROR,
                    "The file has no tokenizer (no key tokenizer.ggml.model): text can be neither read nor written.",
                    CONVERT);
            return Optional.empty();
        }
        if (kind.equals("gpt2") && (pre.isEmpty() || pre.equals("default"))) {
            boolean own = !text(file, PIPELINE).isEmpty();
            result.find(
                    FindingKind.PRE_TOKENIZER_MISSING,
                    own ? Severity.NOTE : Severity.WARNING,
                    "tokenizer.ggml.pre is " + (pre.isEmpty() ? "missing" : "'default'")
                            + (own
                                    ? ": other programs cut text into words by a default, for their list has none that this"
                                            + " model was trained with; Tern follows the description in " + PIPELINE
                                    : ": other programs cut text into words by a default that the model was not trained with"
                                            + " ('GENERATION QUALITY WILL BE DEGRADED'), and its answers get worse."),
                    own ? "" : CONVERT);
        }
        file.find("token_embd.weight").ifPresent(embedding -> rows(file, embedding));
        try {
            Vocabulary vocabulary = Vocabulary.ofGguf(file.metadata(), file.path());
            common(vocabulary);
            return Optional.of(vocabulary);
        } catch (InputException e) {
            result.find(FindingKind.TOKENIZER_UNREADABLE, Severity.ERROR, Sentences.of(e), "");
            bakedBos(file);
            return Optional.empty();
        }
    }

    private static String text(GgufFile file, String key) {
        GgufValue value = file.metadata().get(key);
        return value != null && value.value() instanceof String text ? text : "";
    }

    private static List<?> tokens(GgufFile file) {
        GgufValue value = file.metadata().get("tokenizer.ggml.tokens");
        return value != null && value.value() instanceof List<?> tokens ? tokens : List.of();
    }

    private void rows(GgufFile file, GgufTensor embedding) {
        int tokens = tokens(file).size();
        if (tokens > 0 && embedding.rows() != tokens) {
            result.find(
                    FindingKind.VOCABULARY_MISMATCH,
                    Severity.ERROR,
                    "The embedding has " + embedding.rows() + " rows for " + tokens + " tokens.",
                    "The tokenizer is another model's, or lost its added tokens. " + CONVERT);
        }
    }

    /** Of a vocabulary that is too broken to be read. */
    private void bakedBos(GgufFile file) {
        List<String> tokens = tokens(file).stream().map(String::valueOf).toList();
        GgufValue bos = file.metadata().get(SpecialToken.BOS.ggufKey());
        boolean known = bos != null
                && bos.value() instanceof Number id
                && id.intValue() >= 0
                && id.intValue() < tokens.size();
        VocabularyCheck.bakedBos(tokens, known ? tokens.get(((Number) bos.value()).intValue()) : "")
                .ifPresent(text -> result.find(FindingKind.BOS_BAKED_IN, Severity.ERROR, text, CONVERT));
    }

    private void vocabulary(Vocabulary vocabulary) {
        for (VocabularyCheck.Finding finding : VocabularyCheck.findings(vocabulary)) {
            FindingKind kind = switch (finding.fault()) {
                case BOS_BAKED_IN -> FindingKind.BOS_BAKED_IN;
                case BYTES_MISSING, MERGES -> FindingKind.VOCABULARY_INCOMPLETE;
                case SPECIAL_TOKEN -> FindingKind.SPECIAL_TOKEN_MISSING;
            };
            Severity severity = kind == FindingKind.BOS_BAKED_IN ? Severity.ERROR : Severity.WARNING;
            result.find(kind, severity, finding.text(), finding.cure());
        }
    }

    /** What holds for every vocabulary. */
    void common(Vocabulary vocabulary) {
        result.tokenizer(vocabulary);
        vocabulary(vocabulary);
        List<String> ends = TURN_ENDS.stream().filter(vocabulary.tokens()::contains).toList();
        if (vocabulary.chatTemplate().isEmpty()) {
            result.find(
                    FindingKind.CHAT_TEMPLATE_MISSING,
                    ends.isEmpty() ? Severity.NOTE : Severity.WARNING,
                    "There is no chat template: the model can only continue text."
                            + (ends.isEmpty()
                                    ? ""
                                    : " Its vocabulary has " + String.join(", ", ends) + ", so one may have been lost (it"
                                            + " stands in tokenizer_config.json or chat_template.jinja)."),
                    ends.isEmpty() ? "" : "Put chat_template.jinja beside tokenizer.json and convert again.");
            return;
        }
        TURN_ENDS.stream()
                .filter(end -> vocabulary.chatTemplate().get().contains(end) && !vocabulary.tokens().contains(end))
                .forEach(end -> result.find(
                        FindingKind.SPECIAL_TOKEN_MISSING,
                        Severity.WARNING,
                        "The chat template ends turns with " + end + ", which is no token: it is cut into pieces, and the"
                                + " model does not see where a turn ends.",
                        "The tokenizer lost its added tokens, or the template is another model's. " + CONVERT));
    }
}
