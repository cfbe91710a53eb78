package dev.tern.tokenizer;

import dev.tern.gguf.GgufStrings;
import java.util.List;
import java.util.Optional;

/** How words become tokens. Immutable. */
public sealed interface SubwordModel {

    /** By rank, "left right"; none where scores decide. */
    List<String> merges();

    /**
     * Byte-level BPE: words are bytes spelled in GPT-2's alphabet; the pair of lowest rank merges first.
     *
     * @param merges by rank, "left right"
     * @param ignoreMerges whether a word that is a piece is that piece, whatever its merges would make of it
     */
    record BytePairs(List<String> merges, boolean ignoreMerges) implements SubwordModel {
        public BytePairs {
            merges = GgufStrings.copyOf(merges);
        }
    }

    /**
     * BPE over characters, SentencePiece's and its form in tokenizer.json. Characters that are no piece become the
     * tokens of their bytes, or else the unknown token.
     *
     * @param ranks the merges by rank, "left right", as tokenizer.json has them; empty where, as in SentencePiece, the
     *     pair merges first that makes the piece of the highest score, of equal ones the leftmost
     * @param scores by id
     * @param ignoreMerges whether a word that is a piece is that piece
     * @param byteFallback whether the bytes of an unknown character become tokens {@code <0x00>} to {@code <0xFF>}
     * @param fuseUnknown whether unknown characters in a row are one unknown token
     */
    record CharacterPairs(
            Optional<List<String>> ranks,
            List<Float> scores,
            boolean ignoreMerges,
            boolean byteFallback,
            boolean fuseUnknown) implements SubwordModel {
        public CharacterPairs {
            ranks = ranks.map(GgufStrings::copyOf);
            scores = List.copyOf(scores);
        }

        @Override
        public List<String> merges() {
            return ranks.orElse(List.of());
        }
    }

    /**
     * Unigram: the pieces whose scores have the largest sum.
     *
     * @param scores by id, logarithms of probabilities
     * @param byteFallback as for {@link CharacterPairs}
     */
    record Unigram(List<Float> scores, boolean byteFallback) implements SubwordModel {
        public Unigram {
            scores = List.copyOf(scores);
        }

        @Override
        public List<String> merges() {
            return List.of();
        }
    }
}
