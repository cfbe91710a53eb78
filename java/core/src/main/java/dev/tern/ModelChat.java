package dev.tern;

import dev.tern.io.InputException;
import dev.tern.template.ChatTemplate;
import dev.tern.tokenizer.SpecialToken;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import dev.tern.tools.ChatFormat;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A model's chat template with its vocabulary. What is found out about both is kept. Thread-safe. */
final class ModelChat {
    private final Path file;
    private final Supplier<Tokenizer> tokenizer;
    private final Optional<ChatTemplate> given;
    private final AtomicReference<@Nullable ChatFormat> format = new AtomicReference<>();
    private final AtomicReference<@Nullable Set<Integer>> markIds = new AtomicReference<>();

    /**
     * @param tokenizer throws an InputException where the model has none
     * @param given a template instead of the file's own
     */
    ModelChat(Path file, Supplier<Tokenizer> tokenizer, Optional<ChatTemplate> given) {
        this.file = file;
        this.tokenizer = tokenizer;
        this.given = given;
    }

    private Vocabulary vocabulary() {
        return tokenizer.get().vocabulary();
    }

    Optional<ChatTemplate> template() {
        return given.or(() -> vocabulary().chatTemplate().map(ChatTemplate::parse));
    }

    ChatFormat format() {
        ChatFormat known = format.get();
        if (known == null) {
            known = ChatFormat.of(
                    template().orElseThrow(() -> InputException.at(file)
                            .key("tokenizer.chat_template")
                            .problem("the model has no chat template")
                            .cure("Give it a plain prompt, or name a template.")
                            .exception()),
                    specialTokens());
            format.set(known);
        }
        return known;
    }

    private Map<String, String> specialTokens() {
        Map<String, String> tokens = new HashMap<>(Map.of("bos_token", "", "eos_token", ""));
        Map.of(
                        "bos_token", SpecialToken.BOS,
                        "eos_token", SpecialToken.EOS,
                        "unk_token", SpecialToken.UNKNOWN,
                        "sep_token", SpecialToken.SEPARATOR,
                        "pad_token", SpecialToken.PADDING,
                        "mask_token", SpecialToken.MASK)
                .forEach((name, part) -> vocabulary().token(part).ifPresent(text -> tokens.put(name, text)));
        return tokens;
    }

    /** Special tokens, no end tokens, whose text is a mark or a part of one. */
    Set<Integer> markIds() {
        Set<Integer> known = markIds.get();
        if (known == null) {
            Set<String> marks = format().marks();
            Vocabulary vocabulary = vocabulary();
            known = IntStream.range(0, vocabulary.size())
                    .filter(id -> vocabulary.types().get(id).special() && !tokenizer.get().isEnd(id))
                    .filter(id -> !vocabulary.tokens().get(id).isEmpty()
                            && marks.stream().anyMatch(mark -> mark.contains(vocabulary.tokens().get(id))))
                    .boxed()
                    .collect(Collectors.toUnmodifiableSet());
            markIds.set(known);
        }
        return known;
    }

    List<String> stops() {
        String end = format().capabilities().endOfTurn();
        int[] ids = tokenizer.get().encode(end, false, true);
        return ids.length == 0 || tokenizer.get().isEnd(ids[0]) ? List.of() : List.of(end);
    }

    int[] ids(String prompt) {
        int[] ids = tokenizer.get().encode(prompt, false, true);
        OptionalInt bos = vocabulary().addBos() ? vocabulary().id(SpecialToken.BOS) : OptionalInt.empty();
        if (bos.isEmpty() || (ids.length > 0 && ids[0] == bos.getAsInt())) {
            return ids;
        }
        return IntStream.concat(IntStream.of(bos.getAsInt()), IntStream.of(ids)).toArray();
    }
}
