package dev.tern.model;

import dev.tern.kernels.ThreadAffinity;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The processors that the members of a team are bound to, one each; or none at all. Thread-safe.
 *
 * <p>Whether binding is possible is found out in the beginning. Should the system refuse later, because the process has
 * been confined to other processors meanwhile, members compute where they are, which is only slower.
 */
final class Places {
    private final ThreadAffinity[] members;

    /**
     * @param processors at least {@code size} of them; or none, and nobody is bound
     * @throws UnsupportedOperationException when the system cannot bind threads, or not to these processors
     */
    Places(int size, List<Integer> processors) {
        if (!processors.isEmpty() && processors.size() < size) {
            throw new IllegalArgumentException(size + " threads on processors " + processors);
        }
        members = new ThreadAffinity[processors.isEmpty() ? 0 : size];
        if (members.length > 0) {
            ThreadAffinity before = ThreadAffinity.ofCurrentThread();
            try {
                for (int member = 0; member < size; member++) {
                    BitSet one = new BitSet();
                    one.set(processors.get(member));
                    members[member] = ThreadAffinity.of(one);
                    members[member].apply();
                }
            } finally {
                before.apply();
            }
        }
    }

    /** Binds a thread of the team for good. */
    void bind(int member) {
        if (members.length > 0) {
            apply(members[member]);
        }
    }

    /**
     * Binds a caller, who is member 0 for a time; a virtual thread is not bound, for it has no processor of its own.
     */
    @Nullable ThreadAffinity bindCaller() {
        if (members.length == 0 || Thread.currentThread().isVirtual()) {
            return null;
        }
        try {
            ThreadAffinity before = ThreadAffinity.ofCurrentThread();
            members[0].apply();
            return before;
        } catch (UnsupportedOperationException refused) {
            return null;
        }
    }

    /** Undoes {@link #bindCaller}, which gave this. */
    void release(@Nullable ThreadAffinity before) {
        if (before != null) {
            apply(before);
        }
    }

    private static void apply(ThreadAffinity affinity) {
        try {
            affinity.apply();
        } catch (UnsupportedOperationException refused) {
            // Possible a moment ago, and no more.
        }
    }
}
