package dev.tern.server.served;

import dev.tern.grammar.Grammar;
import dev.tern.grammar.VocabularyTrie;
import dev.tern.sampling.TokenConstraint;
import dev.tern.tokenizer.Tokenizer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The grammars that were asked for last, with what was found out about them, and the vocabulary that they are held
 * against. Thread-safe.
 */
public final class Grammars {
    private static final int KEPT = 16;

    private final Supplier<Tokenizer> tokenizer;
    private final Map<String, Grammar> kept = new LinkedHashMap<>(KEPT, 0.75f, true);
    private @Nullable VocabularyTrie trie;

    public Grammars(Supplier<Tokenizer> tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * What holds one answer after the other to a grammar.
     *
     * @param key what the grammar is made from, as a text
     * @param maker makes it where it is not kept
     * @throws dev.tern.io.InputException when it cannot be made
     */
    public Supplier<TokenConstraint> constraint(String key, Supplier<Grammar> maker) {
        Grammar grammar;
        synchronized (kept) {
            grammar = kept.get(key);
        }
        if (grammar == null) {
            grammar = maker.get();
            synchronized (kept) {
                kept.put(key, grammar);
                if (kept.size() > KEPT) {
                    kept.remove(kept.keySet().iterator().next());
                }
            }
        }
        Grammar made = grammar;
        VocabularyTrie vocabulary = trie();
        return () -> made.constrain(vocabulary);
    }

    private synchronized VocabularyTrie trie() {
        VocabularyTrie made = trie;
        if (made == null) {
            made = VocabularyTrie.of(tokenizer.get());
            trie = made;
        }
        return made;
    }
}
