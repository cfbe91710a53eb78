package dev.tern.tokenizer;

import java.util.Arrays;
import java.util.Set;

/**
 * Finds added tokens in text, as HF's {@code AddedVocabulary} does: the leftmost, of those the longest; first all that are
 * not {@code normalized}, then, in the text between them, those that are. Immutable.
 */
final class AddedTokens {

    /** Takes the text, in order. */
    interface Sink {
        /**
         * Bytes {@code [from, to)}, never none, which hold no added token, normalized.
         *
         * @param first whether the whole text begins with them
         */
        void text(byte[] utf8, int from, int to, boolean first);

        void token(int id);
    }

    private final Trie first;
    private final Trie second;
    private final TextNormalizer normalizer;

    private AddedTokens(Trie first, Trie second, TextNormalizer normalizer) {
        this.first = first;
        this.second = second;
        this.normalizer = normalizer;
    }

    /** Those that are {@code normalized} are searched in normalized text, as the normalizer makes them. */
    static AddedTokens of(Vocabulary vocabulary, TextNormalizer normalizer) {
        Trie first = new Trie(vocabulary);
        Trie second = new Trie(vocabulary);
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.types().get(id).added()) {
                byte[] content = Utf8.encode(vocabulary.tokens().get(id));
                if (vocabulary.flags(id).contains(AddedTokenFlag.NORMALIZED)) {
                    second.add(normalizer.apply(content, 0, content.length), id);
                } else {
                    first.add(content, id);
                }
            }
        }
        return new AddedTokens(first, second, normalizer);
    }

    /** Cuts the text at added tokens; special ones are text unless {@code parseSpecial}. */
    void split(byte[] utf8, boolean parseSpecial, Sink sink) {
        if (second.isEmpty() && normalizer.isIdentity()) {
            first.split(utf8, 0, utf8.length, true, parseSpecial, sink);
            return;
        }
        first.split(utf8, 0, utf8.length, true, parseSpecial, new Sink() {
            @Override
            public void text(byte[] text, int from, int to, boolean begins) {
                if (normalizer.isIdentity()) {
                    second.split(text, from, to, begins, parseSpecial, sink);
                } else {
                    byte[] normalized = normalizer.apply(text, from, to);
                    second.split(normalized, 0, normalized.length, begins, parseSpecial, sink);
                }
            }

            @Override
            public void token(int id) {
                sink.token(id);
            }
        });
    }

    /** A byte trie; a node's children are a linked list. Node 0 is the root. */
    private static final class Trie {
        private static final int NONE = -1;

        private final Vocabulary vocabulary;
        private final boolean[] starts = new boolean[256];
        private int nodes = 1;
        private byte[] labels = new byte[64];
        private int[] children = filled(64);
        private int[] siblings = filled(64);
        private int[] ids = filled(64);

        Trie(Vocabulary vocabulary) {
            this.vocabulary = vocabulary;
        }

        boolean isEmpty() {
            return nodes == 1;
        }

        void add(byte[] content, int id) {
            if (content.length == 0) {
                return;
            }
            starts[content[0] & 0xFF] = true;
            int node = 0;
            for (byte b : content) {
                int child = child(node, b);
                node = child == NONE ? addChild(node, b) : child;
            }
            ids[node] = id;
        }

        private int child(int node, byte label) {
            int child = children[node];
            while (child != NONE && labels[child] != label) {
                child = siblings[child];
            }
            return child;
        }

        private int addChild(int node, byte label) {
            if (nodes == labels.length) {
                int capacity = nodes * 2;
                labels = Arrays.copyOf(labels, capacity);
                children = extended(children, capacity);
                siblings = extended(siblings, capacity);
                ids = extended(ids, capacity);
            }
            labels[nodes] = label;
            siblings[nodes] = children[node];
            children[node] = nodes;
            return nodes++;
        }

        private static int[] filled(int capacity) {
            return extended(new int[0], capacity);
        }

        private static int[] extended(int[] values, int capacity) {
            int[] longer = Arrays.copyOf(values, capacity);
            Arrays.fill(longer, values.length, capacity, NONE);
            return longer;
        }

        void split(byte[] utf8, int from, int to, boolean begins, boolean parseSpecial, Sink sink) {
            int done = from;
            int at = from;
            while (at < to) {
                if (!starts[utf8[at] & 0xFF]) {
                    at++;
                    continue;
                }
                int id = NONE;
                int end = at;
                for (int i = at, node = child(0, utf8[at]); node != NONE; node = i < to ? child(node, utf8[i]) : NONE) {
                    i++;
                    if (ids[node] != NONE) {
                        id = ids[node];
                        end = i;
                    }
                }
                if (id == NONE) {
                    at++;
                    continue;
                }
                int start = at;
                // HF searches on behind the token itself, also where the token then counts for nothing.
                at = end;
                Set<AddedTokenFlag> flags = vocabulary.flags(id);
                if (vocabulary.types().get(id).special() && !parseSpecial
                        || flags.contains(AddedTokenFlag.SINGLE_WORD) && !alone(utf8, from, start, end, to)) {
                    continue;
                }
                if (flags.contains(AddedTokenFlag.LSTRIP)) {
                    start = Math.max(done, beforeSpace(utf8, from, start));
                }
                if (flags.contains(AddedTokenFlag.RSTRIP)) {
                    end = afterSpace(utf8, end, to);
                }
                if (done < start) {
                    sink.text(utf8, done, start, begins && done == from);
                }
                // White space can be wanted from both sides, and a token of nothing else then has nothing left.
                if (start < end) {
                    sink.token(id);
                }
                done = end;
            }
            if (done < to) {
                sink.text(utf8, done, to, begins && done == from);
            }
        }

        private static boolean alone(byte[] utf8, int from, int start, int end, int to) {
            if (start > from) {
                int at = Utf8.previous(utf8, start);
                if (WordClass.isWord(Utf8.codePoint(utf8, at, start - at))) {
                    return false;
                }
            }
            return end == to || !WordClass.isWord(Utf8.codePoint(utf8, end, Utf8.length(utf8[end])));
        }

        private static int beforeSpace(byte[] utf8, int from, int start) {
            int at = start;
            while (at > from) {
                int previous = Utf8.previous(utf8, at);
                if (!WordClass.isWhiteSpace(Utf8.codePoint(utf8, previous, at - previous))) {
                    break;
                }
                at = previous;
            }
            return at;
        }

        private static int afterSpace(byte[] utf8, int end, int to) {
            int at = end;
            while (at < to) {
                int length = Utf8.length(utf8[at]);
                if (!WordClass.isWhiteSpace(Utf8.codePoint(utf8, at, length))) {
                    break;
                }
                at += length;
            }
            return at;
        }
    }
}
