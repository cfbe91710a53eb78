package dev.tern.grammar;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which tokens of a vocabulary may come at a configuration of a grammar, as far as that was asked for.
 *
 * <p>The calls that all readings of the text have around them do not matter for most tokens. So the part inside of them
 * is looked at alone: along the trie it either takes a token whole, or not at all, or is left within the token, and
 * only these few places are gone on from with the calls that are really there. What was found for a part serves
 * wherever the part stands, such as inside any string of a JSON text. Thread-safe: one thread at a time works, others
 * wait.
 */
final class TokenMasks {
    /** Bit sets kept, of each kind: 16 KB each for 128,256 tokens. */
    private static final int KEPT = 128;

    /** Places at which parts are left, of all parts that are kept: 16 MB. */
    private static final int MOST_EXITS = 4_000_000;

    private final Automaton automaton;
    final VocabularyTrie trie;
    private final int[] chainOf;
    private Configurations configurations;
    private Configuration begin;
    private final Map<Configuration, long[]> whole = leastRecentlyUsed();
    private final Map<Configuration, Part> parts = leastRecentlyUsed();
    private final Configuration[] path;
    private int exitsKept;

    /**
     * What is known of a part, whatever stands around it.
     *
     * @param bits tokens that end within it
     * @param exits nodes of the trie behind whose byte it may be left
     * @param peak calls that were needed at once
     */
    private record Part(long[] bits, int[] exits, int peak) {}

    TokenMasks(Automaton automaton, VocabularyTrie trie) {
        this.automaton = automaton;
        this.trie = trie;
        this.path = new Configuration[trie.longest() + 1];
        this.chainOf = new int[automaton.states()];
        for (int i = 0; i < automaton.chains().length; i++) {
            Automaton.Chain chain = automaton.chains()[i];
            Arrays.fill(chainOf, chain.first(), chain.first() + chain.states(), i + 1);
        }
        configurations = new Configurations(automaton);
        begin = configurations.begin();
    }

    private static <V> Map<Configuration, V> leastRecentlyUsed() {
        return new LinkedHashMap<>(KEPT, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Configuration, V> eldest) {
                return size() > KEPT;
            }
        };
    }

    /** Where every text begins. */
    synchronized Place begin() {
        return new Place(begin, configurations);
    }

    /** A configuration, and who knows it: what is full is forgotten, and its configurations are taken over when met. */
    record Place(Configuration configuration, Configurations owner) {
        boolean complete() {
            return configuration.complete;
        }

        /** Whether only the end may follow. */
        boolean finished() {
            return configuration.states.length == 0;
        }
    }

    /** Behind the token's bytes; null where they may not come. */
    synchronized @Nullable Place next(Place from, int id, WorkBudget budget) {
        long before = prepare(budget);
        try {
            return next(current(from), id);
        } finally {
            budget.spend(configurations.work() - before);
        }
    }

    private @Nullable Place next(Configuration from, int id) {
        Configuration at = from;
        boolean free = free(at);
        if (!free && trie.tokenizer().isSpecial(id)) {
            return null;
        }
        byte[] bytes = trie.tokenizer().bytes(id);
        for (byte b : bytes) {
            at = configurations.next(at, b & 0xFF);
        }
        return at.dead() || bytes.length == 0 ? null : new Place(at, configurations);
    }

    /** The tokens that may come, a bit each; those that end an answer are not among them. Not to be changed. */
    synchronized long[] mask(Place place, WorkBudget budget) {
        long before = prepare(budget);
        try {
            Configuration at = current(place);
            long[] bits = whole.get(at);
            if (bits == null) {
                bits = compute(at);
                if (free(at)) {
                    addSpecial(at, bits);
                }
                whole.put(at, bits);
            }
            return bits;
        } finally {
            budget.spend(configurations.work() - before);
        }
    }

    /** Forgets what is too much, and lets the budget be spent; the work done before. */
    private long prepare(WorkBudget budget) {
        if (configurations.full()) {
            configurations = new Configurations(automaton);
            begin = configurations.begin();
            whole.clear();
            parts.clear();
            exitsKept = 0;
        }
        configurations.allow(budget.left());
        return configurations.work();
    }

    /** How many parts have masks of their own now. */
    synchronized int partsKept() {
        return parts.size();
    }

    private Configuration current(Place place) {
        return place.owner() == configurations ? place.configuration() : configurations.adopt(place.configuration());
    }

    /** Whether this is text before a trigger, in which special tokens may stand, too. */
    private boolean free(Configuration at) {
        return at.states.length == 1 && at.states[0] < automaton.free();
    }

    private void addSpecial(Configuration from, long[] bits) {
        for (int id : trie.special()) {
            Configuration at = from;
            for (byte b : trie.tokenizer().bytes(id)) {
                at = configurations.next(at, b & 0xFF);
            }
            if (!at.dead()) {
                bits[id >> 6] |= 1L << id;
            }
        }
    }

    private long[] compute(Configuration at) {
        if (at.states.length == 0) {
            return new long[trie.vocabSize() + 63 >> 6];
        }
        Frame around = around(at);
        boolean apart = around != configurations.outermost && around.depth <= Automaton.DEEPEST / 2;
        Part part = part(at, apart ? around : null);
        if (apart && part.peak() > Automaton.DEEPEST / 2) { // the limit might matter here and not elsewhere
            apart = false;
            part = part(at, null);
        }
        long[] bits = part.bits().clone();
        if (apart) {
            Configuration outside = configurations.at(around.returnState, Objects.requireNonNull(around.parent));
            for (int node : part.exits()) {
                walk(node + 1, trie.behind(node), outside, bits, null);
            }
        }
        return bits;
    }

    private Part part(Configuration at, @Nullable Frame around) {
        Configuration inside = inside(at, around);
        Part part = parts.get(inside);
        if (part == null) {
            long[] bits = new long[trie.vocabSize() + 63 >> 6];
            Ints exits = new Ints();
            int peak = walk(0, trie.nodes(), inside, bits, exits);
            part = new Part(bits, exits.toArray(), peak);
            exitsKept += part.exits().length; // of those dropped one by one, too
            if (exitsKept > MOST_EXITS) {
                parts.clear();
                exitsKept = part.exits().length;
            }
            parts.put(inside, part);
        }
        return part;
    }

    /** The innermost calls that all readings have around them. */
    private static Frame around(Configuration at) {
        Frame common = at.frames[0];
        for (Frame frame : at.frames) {
            while (frame != common) {
                if (frame.depth > common.depth) {
                    frame = Objects.requireNonNull(frame.parent);
                } else {
                    common = Objects.requireNonNull(common.parent);
                }
            }
        }
        return common;
    }

    /**
     * What is inside of these calls, or all of it when there are none, with repetitions brought to the state that
     * stands for all from which no token sees their bounds.
     */
    private Configuration inside(Configuration at, @Nullable Frame around) {
        int[] states = new int[at.states.length];
        Frame[] frames = new Frame[states.length];
        for (int i = 0; i < states.length; i++) {
            states[i] = representative(at.states[i]);
            frames[i] = rebuilt(at.frames[i], around);
        }
        return configurations.of(states, frames);
    }

    private Frame rebuilt(Frame frame, @Nullable Frame around) {
        int count = frame.depth - (around == null ? 0 : around.depth);
        int[] returns = new int[count];
        Frame at = frame;
        for (int i = count - 1; i >= 0; i--) {
            returns[i] = at.returnState;
            at = Objects.requireNonNull(at.parent);
        }
        Frame rebuilt = around == null ? configurations.outermost : configurations.unknown;
        for (int state : returns) {
            rebuilt = rebuilt.open(representative(state), configurations);
        }
        return rebuilt;
    }

    private int representative(int state) {
        int chain = chainOf[state];
        return chain == 0 ? state : automaton.chains()[chain - 1].representative(state, trie.longest());
    }

    /**
     * Sets the bits of the tokens that may come, of the nodes {@code from} to {@code to}, which are all below one.
     *
     * @param exits gets the nodes behind which the configuration may be left; may be null where it cannot be
     * @return the largest peak of the configurations on the way
     */
    private int walk(int from, int to, Configuration start, long[] bits, @Nullable Ints exits) {
        if (from == to) {
            return start.peak;
        }
        int peak = start.peak;
        path[trie.depth(from) - 1] = start;
        for (int node = from; node < to; ) {
            int depth = trie.depth(node);
            Configuration at = configurations.next(path[depth - 1], trie.label(node));
            peak = Math.max(peak, at.peak);
            if (at.leaves && exits != null) {
                exits.add(node);
            }
            if (at.dead()) {
                node = trie.behind(node);
                continue;
            }
            for (int i = trie.firstToken(node); i < trie.firstToken(node + 1); i++) {
                int id = trie.token(i);
                bits[id >> 6] |= 1L << id;
            }
            path[depth] = at;
            node = at.states.length == 0 ? trie.behind(node) : node + 1;
        }
        return peak;
    }
}
