package dev.tern.sampling;

import dev.tern.tokenizer.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Texts over which no repetition reaches, as tokens: every token that contains one, and every token with whose end one
 * begins, followed by the tokens of its rest. Immutable. Making it looks at each token of the vocabulary.
 */
public final class SequenceBreakers {
    /** No breakers. */
    public static final SequenceBreakers NONE = new SequenceBreakers(0, Map.of());

    private static final int MOST_BYTES = 40; // of a breaker, and
    private static final int MOST_TOKENS = 20; // of its rest, as in llama.cpp: a search in the text stays linear

    private final int[] first; // by id: 1 + the index in `rests`, 0 for a token that begins no breaker
    private final int[][][] rests; // of each first token the tokens that must follow, none for a whole breaker

    /** @param sequences first tokens, and of each what must follow: no tokens where it is a breaker alone */
    SequenceBreakers(int vocabSize, Map<Integer, List<int[]>> sequences) {
        first = new int[vocabSize];
        rests = new int[sequences.size()][][];
        int index = 0;
        for (Map.Entry<Integer, List<int[]>> entry : sequences.entrySet()) {
            rests[index++] = entry.getValue().toArray(int[][]::new);
            first[entry.getKey()] = index;
        }
    }

    /** Breakers as a vocabulary spells them. Of one longer than 40 bytes the beginning counts. */
    public static SequenceBreakers of(List<String> breakers, Tokenizer tokenizer) {
        byte[][][] byFirst = byFirstByte(breakers);
        Map<ByteBuffer, int[]> rests = new HashMap<>();
        Map<Integer, List<int[]>> sequences = new HashMap<>();
        int vocabSize = tokenizer.vocabulary().size();
        for (int id = 0; id < vocabSize; id++) {
            byte[] token = tokenizer.bytes(id);
            for (int at = 0; at < token.length; at++) {
                for (byte[] text : byFirst[token[at] & 0xFF]) {
                    int[] rest = rest(token, at, text, rests, tokenizer);
                    if (rest != null) {
                        add(sequences.computeIfAbsent(id, any -> new ArrayList<>()), rest);
                    }
                }
            }
        }
        return new SequenceBreakers(vocabSize, sequences);
    }

    /** Different breakers, as bytes, by the first of these. */
    private static byte[][][] byFirstByte(List<String> breakers) {
        Map<Integer, List<byte[]>> byFirst = breakers.stream()
                .map(breaker -> breaker.getBytes(StandardCharsets.UTF_8))
                .map(bytes -> ByteBuffer.wrap(Arrays.copyOf(bytes, Math.min(bytes.length, MOST_BYTES))))
                .distinct()
                .map(ByteBuffer::array)
                .collect(Collectors.groupingBy(bytes -> bytes[0] & 0xFF));
        byte[][][] texts = new byte[256][][];
        Arrays.setAll(texts, first -> byFirst.getOrDefault(first, List.of()).toArray(byte[][]::new));
        return texts;
    }

    /**
     * The tokens that must follow a token where a breaker begins in it, at {@code at}; null where none does.
     *
     * @param known by what is left of a breaker: few are, as against the tokens that end with its beginning
     */
    private static int @Nullable [] rest(
            byte[] token, int at, byte[] breaker, Map<ByteBuffer, int[]> known, Tokenizer tokenizer) {
        int common = Math.min(token.length - at, breaker.length);
        if (Arrays.mismatch(token, at, at + common, breaker, 0, common) >= 0) {
            return null;
        }
        boolean insideCharacter = common < breaker.length && (breaker[common] & 0xC0) == 0x80;
        if (insideCharacter) {
            return null; // its rest is no text
        }
        return known.computeIfAbsent(ByteBuffer.wrap(breaker, common, breaker.length - common), left -> {
            String rest = StandardCharsets.UTF_8.decode(left.duplicate()).toString();
            int[] tokens = rest.isEmpty() ? new int[0] : tokenizer.encode(rest, false, false);
            return Arrays.copyOf(tokens, Math.min(tokens.length, MOST_TOKENS));
        });
    }

    private static void add(List<int[]> rests, int[] rest) {
        if (rests.stream().noneMatch(other -> Arrays.equals(other, rest))) {
            rests.add(rest);
        }
    }

    /** Whether the token contains a whole breaker. */
    boolean isBreaker(int id) {
        if (id < first.length && first[id] > 0) {
            for (int[] rest : rests[first[id] - 1]) {
                if (rest.length == 0) {
                    return true;
                }
            }
        }
        return false;
    }

    /** How many tokens stand behind the last breaker; all of them where there is none. */
    int tokensBehind(TokenWindow window) {
        for (int back = 0; back < window.size(); back++) {
            int id = window.last(back);
            if (id < first.length && first[id] > 0) {
                int longest = -1;
                for (int[] rest : rests[first[id] - 1]) {
                    if (rest.length > longest && follows(window, back, rest)) {
                        longest = rest.length;
                    }
                }
                if (longest >= 0) {
                    return back - longest;
                }
            }
        }
        return window.size();
    }

    private static boolean follows(TokenWindow window, int back, int[] rest) {
        if (rest.length > back) {
            return false;
        }
        for (int i = 0; i < rest.length; i++) {
            if (window.last(back - 1 - i) != rest[i]) {
                return false;
            }
        }
        return true;
    }
}
