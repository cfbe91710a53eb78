package dev.tern.grammar;

import dev.tern.tokenizer.TokenType;
import dev.tern.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.SortedSet;

/**
 * The bytes of a vocabulary's tokens as a tree, so that what tokens have in common is tried once. Make one for a model
 * and share it: for 128,256 tokens it takes some 10 MB. Immutable and thread-safe.
 *
 * <p>It has the tokens that are text. Special tokens (control and unknown), rows without a token, tokens without bytes
 * and those that end an answer are apart.
 */
public final class VocabularyTrie {
    private final Tokenizer tokenizer;
    private final int vocabSize;

    // Nodes in the order of a walk, each before those below it; the root, which has no byte, is not among them.
    private final byte[] label;
    private final short[] depth;
    private final int[] behind;
    private final int[] firstToken;
    private final int[] tokens;
    private final int[] special;
    private final int[] ends;
    private final int longest;

    private VocabularyTrie(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.vocabSize = tokenizer.vocabulary().size();
        byte[][] bytes = new byte[vocabSize][];
        Ints specials = new Ints();
        int text = 0;
        int total = 0;
        for (int id = 0; id < vocabSize; id++) {
            bytes[id] = tokenizer.bytes(id);
            TokenType type = tokenizer.vocabulary().types().get(id);
            boolean usable = type != TokenType.UNUSED && bytes[id].length > 0 && bytes[id].length < Short.MAX_VALUE;
            if (!usable || tokenizer.isEnd(id)) {
                bytes[id] = new byte[0];
            } else if (tokenizer.isSpecial(id)) {
                specials.add(id);
                bytes[id] = new byte[0];
            } else {
                text++;
                total += bytes[id].length;
            }
        }
        Integer[] sorted = new Integer[text];
        for (int id = 0, i = 0; id < vocabSize; id++) {
            if (bytes[id].length > 0) {
                sorted[i++] = id;
            }
        }
        Arrays.sort(sorted, Comparator.<Integer, byte[]>comparing(id -> bytes[id], Arrays::compareUnsigned)
                .thenComparing(Comparator.naturalOrder()));
        byte[] labels = new byte[total];
        short[] depths = new short[total];
        int[] firsts = new int[total + 1];
        tokens = new int[text];
        int nodes = 0;
        int most = 0;
        byte[] before = {};
        for (int i = 0; i < text; i++) {
            byte[] token = bytes[sorted[i]];
            int shared = Arrays.mismatch(before, token);
            for (int at = shared < 0 ? token.length : shared; at < token.length; at++) {
                labels[nodes] = token[at];
                depths[nodes] = (short) (at + 1);
                firsts[nodes++] = i; // tokens of the node before end here, where it has any
            }
            tokens[i] = sorted[i];
            most = Math.max(most, token.length);
            before = token;
        }
        firsts[nodes] = text;
        label = Arrays.copyOf(labels, nodes);
        depth = Arrays.copyOf(depths, nodes);
        firstToken = Arrays.copyOf(firsts, nodes + 1);
        behind = behind(depth, most);
        special = specials.toArray();
        SortedSet<Integer> endIds = tokenizer.vocabulary().endIds();
        ends = endIds.stream().mapToInt(Integer::intValue).toArray();
        longest = most;
    }

    /** For each node the first that is not below it. */
    private static int[] behind(short[] depth, int longest) {
        int[] behind = new int[depth.length];
        int[] path = new int[longest + 1]; // by depth, the nodes whose subtree goes on
        int open = 0;
        for (int node = 0; node < depth.length; node++) {
            for (; open >= depth[node]; open--) {
                behind[path[open]] = node;
            }
            path[++open] = node;
        }
        for (; open > 0; open--) {
            behind[path[open]] = depth.length;
        }
        return behind;
    }

    /** The trie of the tokenizer's vocabulary. */
    public static VocabularyTrie of(Tokenizer tokenizer) {
        return new VocabularyTrie(tokenizer);
    }

    /** The tokenizer whose tokens these are. */
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** Rows of the vocabulary. */
    public int vocabSize() {
        return vocabSize;
    }

    int nodes() {
        return label.length;
    }

    int label(int node) {
        return label[node] & 0xFF;
    }

    /** 1 for a token's first byte. */
    int depth(int node) {
        return depth[node];
    }

    /** The first node that is not below this one. */
    int behind(int node) {
        return behind[node];
    }

    /** Index, for {@link #token}, of the first token that ends at the node; those of the next node follow. */
    int firstToken(int node) {
        return firstToken[node];
    }

    int token(int index) {
        return tokens[index];
    }

    /** Ids of the special tokens that do not end an answer. */
    int[] special() {
        return special;
    }

    int[] ends() {
        return ends;
    }

    /** Bytes of the longest token. */
    int longest() {
        return longest;
    }
}
