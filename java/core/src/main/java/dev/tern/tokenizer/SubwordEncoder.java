package dev.tern.tokenizer;

/** Makes tokens of words, for one text. Holds scratch; not thread-safe. */
interface SubwordEncoder {
    /** Adds the tokens of the word {@code utf8[from, to)}, which is not empty. */
    void word(byte[] utf8, int from, int to, IdList ids);

    /** The tables that a vocabulary's encoders share. Immutable and thread-safe. */
    interface Tables {
        SubwordEncoder encoder();
    }

    /** @throws dev.tern.io.InputException when a merge joins or makes a piece that the vocabulary does not have */
    static Tables of(Vocabulary vocabulary, TokenBytes bytes) {
        return switch (vocabulary.model()) {
            case SubwordModel.BytePairs model -> new BytePairTables(vocabulary, model, bytes);
            case SubwordModel.CharacterPairs model -> model.ranks().isPresent()
                    ? new CharacterPairTables(vocabulary, model, bytes)
                    : new ScoredPairTables(vocabulary, model, bytes);
            case SubwordModel.Unigram model -> new UnigramTables(vocabulary, model, bytes);
        };
    }
}
