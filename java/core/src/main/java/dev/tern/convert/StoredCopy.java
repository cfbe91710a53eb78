package dev.tern.convert;

import java.lang.foreign.MemorySegment;

/** Passes tensors through whose bytes stay as they are. Not thread-safe. */
final class StoredCopy {
    private final ConversionSource source;
    private final byte[] buffer = new byte[1 << 18];

    StoredCopy(ConversionSource source) {
        this.source = source;
    }

    /** Hands bytes {@code [from, end)} of a tensor to {@code sink}, piece by piece. */
    void copy(SourceTensor tensor, long from, long end, FloatEncoder.Sink sink) {
        for (long at = from; at < end; at += buffer.length) {
            MemorySegment piece = MemorySegment.ofArray(buffer).asSlice(0, Math.min(buffer.length, end - at));
            source.readStored(tensor, at, piece);
            sink.accept(at, piece);
        }
    }
}
