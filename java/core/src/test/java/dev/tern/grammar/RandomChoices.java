package dev.tern.grammar;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Texts of random tokens that a grammar lets through. */
final class RandomChoices {
    private final VocabularyTrie trie;
    private final SplittableRandom random;
    private final float[] logits;
    private final int[] allowed;

    RandomChoices(VocabularyTrie trie, long seed) {
        this.trie = trie;
        this.random = new SplittableRandom(seed);
        this.logits = new float[trie.vocabSize()];
        this.allowed = new int[logits.length];
    }

    /**
     * A text that was ended by a token that ends answers.
     *
     * @param soon after how many tokens its end is sought: short tokens, those that close something first
     * @return the text, in bytes that are decoded strictly
     */
    String text(Grammar grammar, int soon) {
        GrammarConstraint constraint = grammar.constrain(trie);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int count = 0; count < 20_000; count++) {
            int id = choose(constraint, count >= soon || random.nextInt(3) == 0);
            constraint.accept(id);
            if (trie.tokenizer().isEnd(id)) {
                return decoded(bytes.toByteArray());
            }
            bytes.writeBytes(trie.tokenizer().bytes(id));
        }
        throw new AssertionError("no end: " + bytes.toString(StandardCharsets.UTF_8).substring(0, 200));
    }

    int choose(GrammarConstraint constraint, boolean closing) {
        Arrays.fill(logits, 0);
        constraint.mask(logits);
        int count = 0;
        for (int id = 0; id < logits.length; id++) {
            if (logits[id] == 0) {
                allowed[count++] = id;
            }
        }
        if (count == 0) {
            throw new AssertionError("nothing may come next");
        }
        if (closing) {
            int best = 0;
            for (int i = 0; i < count; i++) {
                int id = allowed[i];
                byte[] bytes = trie.tokenizer().bytes(id);
                if (trie.tokenizer().isEnd(id)) {
                    return id;
                }
                if (bytes.length == 1 && "\"}]".indexOf(bytes[0]) >= 0 && best == 0) {
                    best = id;
                }
            }
            if (best != 0 && random.nextInt(3) > 0) {
                return best;
            }
        }
        return allowed[random.nextInt(count)];
    }

    private static String decoded(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new AssertionError("no UTF-8: " + Arrays.toString(bytes), e);
        }
    }
}
