package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.ternary.TernaryMatrix;
import java.util.Iterator;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** Reads a checkpoint's ternary tensors in order on a thread of its own, one ahead of the reader; never more than two are in memory. */
final class TernaryPrefetch implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final Iterator<CheckpointTensor> rest;
    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("tern-read").factory());
    private @Nullable CheckpointTensor ahead;
    private @Nullable Future<TernaryMatrix> reading;

    TernaryPrefetch(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
        this.rest = checkpoint.tensors().stream().filter(CheckpointTensor::ternary).iterator();
        readAhead();
    }

    private void readAhead() {
        if (rest.hasNext()) {
            CheckpointTensor tensor = rest.next();
            ahead = tensor;
            reading = thread.submit(() -> checkpoint.readTernary(tensor));
        }
    }

    /** The matrix of {@code tensor}, which must be the next ternary one in the checkpoint's order. */
    TernaryMatrix next(CheckpointTensor tensor) {
        if (reading == null || tensor != ahead) {
            throw new IllegalStateException(tensor.name() + " is not the next ternary tensor");
        }
        try {
            TernaryMatrix matrix = reading.get();
            readAhead();
            return matrix;
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException unchecked -> throw unchecked;
                case Error error -> throw error;
                default -> throw new IllegalStateException(e.getCause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a tensor was read", e);
        }
    }

    /** Waits for a read in progress, so that the checkpoint can be closed afterwards. */
    @Override
    public void close() {
        thread.close();
    }
}
