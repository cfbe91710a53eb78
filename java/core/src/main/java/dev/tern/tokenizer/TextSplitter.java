package dev.tern.tokenizer;

/**
 * One step of cutting text into words, as HF's pre-tokenizers do. A step may change the text as well: then it hands on
 * arrays of its own. Immutable.
 */
@FunctionalInterface
interface TextSplitter {
    /** Takes the parts, in order. */
    @FunctionalInterface
    interface Sink {
        /**
         * Takes a part, which is never empty.
         *
         * @param first whether it begins where the whole text does that was given to the tokenizer
         */
        void part(byte[] utf8, int from, int to, boolean first);
    }

    /** Cuts {@code utf8[from, to)}, which is not empty. */
    void split(byte[] utf8, int from, int to, boolean first, Sink out);

    /** The step and then, on each of its parts, another. */
    default TextSplitter then(TextSplitter next) {
        return (utf8, from, to, first, out) ->
                split(utf8, from, to, first, (text, start, end, begins) -> next.split(text, start, end, begins, out));
    }

    /** Hands the text on as it is. */
    static TextSplitter whole() {
        return (utf8, from, to, first, out) -> out.part(utf8, from, to, first);
    }
}
