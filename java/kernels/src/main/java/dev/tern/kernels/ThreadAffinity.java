package dev.tern.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.BitSet;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A set of logical processors that a thread may run on, as Linux numbers them: {@code sched_setaffinity} and
 * {@code sched_getaffinity}. Applies to the carrier of a virtual thread, so do not use it there. Not thread-safe.
 */
public final class ThreadAffinity {
    private static final int MASK_BYTES = 1024; // 8192 processors, the most that Linux can be built for

    private final MemorySegment mask;

    private ThreadAffinity(MemorySegment mask) {
        this.mask = mask;
    }

    /** The C library's functions; looked up at the first use. */
    private static final class Calls {
        static final StructLayout STATE = Linker.Option.captureStateLayout();
        static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
        static final Calls THIS = find();

        private final @Nullable MethodHandle set;
        private final @Nullable MethodHandle get;
        private final String reason; // why there are none

        private Calls(@Nullable MethodHandle set, @Nullable MethodHandle get, String reason) {
            this.set = set;
            this.get = get;
            this.reason = reason;
        }

        /** Never throws: an exception here would reach the first caller as an error, and the next as another one. */
        private static Calls find() {
            try {
                Linker linker = Linker.nativeLinker();
                return new Calls(handle(linker, "sched_setaffinity"), handle(linker, "sched_getaffinity"), "");
            } catch (UnsupportedOperationException | IllegalCallerException e) {
                return new Calls(null, null, String.valueOf(e.getMessage()));
            }
        }

        private static MethodHandle handle(Linker linker, String name) {
            MemorySegment function = linker.defaultLookup().find(name).orElseThrow(
                    () -> new UnsupportedOperationException("the C library has no " + name));
            return linker.downcallHandle(
                    function,
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
                    Linker.Option.captureCallState("errno"));
        }

        MethodHandle set() {
            return found(set);
        }

        MethodHandle get() {
            return found(get);
        }

        private MethodHandle found(@Nullable MethodHandle function) {
            if (function == null) {
                throw new UnsupportedOperationException(reason);
            }
            return function;
        }
    }

    /** Why threads cannot be bound to processors here, as a sentence without its full stop; empty when they can. */
    public static Optional<String> obstacle() {
        if (!System.getProperty("os.name").equals("Linux")) {
            return Optional.of("only Linux binds threads to processors");
        }
        try {
            ofCurrentThread();
            return Optional.empty();
        } catch (UnsupportedOperationException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /**
     * A set of processors.
     *
     * @throws IllegalArgumentException when it is empty, or has numbers above 8191
     */
    public static ThreadAffinity of(BitSet processors) {
        if (processors.isEmpty() || processors.length() > 8 * MASK_BYTES) {
            throw new IllegalArgumentException("processors " + processors);
        }
        ThreadAffinity affinity = empty();
        // Linux's mask is an array of longs in the machine's byte order, processor 0 in the first one's lowest bit.
        long[] words = processors.toLongArray();
        MemorySegment.copy(words, 0, affinity.mask, ValueLayout.JAVA_LONG, 0, words.length);
        return affinity;
    }

    /**
     * Where the current thread may run.
     *
     * @throws UnsupportedOperationException when the system does not say
     */
    public static ThreadAffinity ofCurrentThread() {
        ThreadAffinity affinity = empty();
        affinity.read();
        return affinity;
    }

    private static ThreadAffinity empty() {
        return new ThreadAffinity(Arena.ofAuto().allocate(MASK_BYTES, 64));
    }

    /** The processors. */
    public BitSet processors() {
        return BitSet.valueOf(mask.toArray(ValueLayout.JAVA_LONG));
    }

    /**
     * Becomes the current thread's set.
     *
     * @throws UnsupportedOperationException when the system does not say
     */
    public void read() {
        mask.fill((byte) 0);
        call(Calls.THIS.get(), "tell");
    }

    /**
     * Binds the current thread to these processors.
     *
     * @throws UnsupportedOperationException when the system cannot, or refuses, as it does when the process may use none
     *     of them
     */
    public void apply() {
        call(Calls.THIS.set(), "bind a thread to");
    }

    private void call(MethodHandle function, String what) {
        int result;
        int error;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Calls.STATE);
            result = (int) function.invokeExact(state, 0, (long) MASK_BYTES, mask); // 0: the current thread
            error = (int) Calls.ERRNO.get(state, 0L);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        if (result < 0) {
            throw new UnsupportedOperationException(
                    "the operating system does not " + what + " processors " + processors() + " (error " + error + ")");
        }
    }
}
