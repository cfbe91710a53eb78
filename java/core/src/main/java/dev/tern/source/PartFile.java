package dev.tern.source;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A file that is being fetched: {@code NAME.part}, and beside it {@code NAME.part.json}, which says of which contents
 * the part is and which stretches of it are there. Segments may be written by a thread each; the rest is for one
 * thread.
 */
final class PartFile implements AutoCloseable {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private final RemoteFile file;
    private final Path path;
    private final Path state;
    private FileChannel channel;
    private List<Segment> segments;
    private boolean ranged;
    private boolean committed;

    /** A stretch of the file, fetched from its beginning to its end. */
    static final class Segment {
        private final long from;
        private volatile long at;
        private volatile long to;

        private Segment(long from, long at, long to) {
            this.from = from;
            this.at = at;
            this.to = to;
        }

        /** Where the next byte belongs. */
        long at() {
            return at;
        }

        /** Behind the last byte; {@link Long#MAX_VALUE} where the end is not known. */
        long to() {
            return to;
        }

        boolean done() {
            return at == to;
        }

        /** The end is where it is now. */
        void end() {
            to = at;
        }
    }

    private PartFile(RemoteFile file, Path path, Path state, FileChannel channel, long segmentBytes) {
        this.file = file;
        this.path = path;
        this.state = state;
        this.channel = channel;
        this.ranged = file.resumable() && file.size() >= 0;
        this.segments = split(segmentBytes);
    }

    /** Goes on with a part of the same contents, or begins one. */
    static PartFile open(Path folder, RemoteFile file, long segmentBytes) {
        Path path = folder.resolve(file.name() + ".part");
        Path state = folder.resolve(file.name() + ".part.json");
        try {
            FileChannel channel = open(path);
            PartFile part = new PartFile(file, path, state, channel, segmentBytes);
            part.takeUp(channel.size());
            return part;
        } catch (IOException e) {
            throw Disk.failure(path, "cannot be written", e);
        }
    }

    private static FileChannel open(Path path) throws IOException {
        return FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private List<Segment> split(long segmentBytes) {
        if (!ranged) {
            return List.of(new Segment(0, 0, file.size() < 0 ? Long.MAX_VALUE : file.size()));
        }
        List<Segment> split = new ArrayList<>();
        for (long from = 0; from < file.size(); from += segmentBytes) {
            split.add(new Segment(from, from, Math.min(file.size(), from + segmentBytes)));
        }
        return List.copyOf(split);
    }

    private void takeUp(long written) throws IOException {
        if (ranged && written > 0 && Files.exists(state)) {
            try {
                ObjectNode json = JsonFile.read(state);
                boolean same = json.path("identity").asString("").equals(file.identity())
                        && json.path("size").asLong(-1) == file.size();
                if (same) {
                    List<Segment> known = segments(json.path("segments"), written);
                    if (!known.isEmpty()) {
                        segments = known;
                        return;
                    }
                }
            } catch (InputException e) {
                // no state that can be read: from the beginning
            }
        }
        channel.truncate(0);
    }

    /** The segments of a state, which must cover the file; otherwise none. */
    private List<Segment> segments(JsonNode array, long written) {
        List<Segment> known = new ArrayList<>();
        long end = 0;
        for (JsonNode entry : array) {
            Segment segment =
                    new Segment(entry.path(0).asLong(-1), entry.path(1).asLong(-1), entry.path(2).asLong(-1));
            boolean sound = segment.from == end && segment.at >= segment.from && segment.to >= segment.at
                    && (segment.at == segment.from || segment.at <= written);
            if (!sound) {
                return List.of();
            }
            end = segment.to;
            known.add(segment);
        }
        return end == file.size() ? List.copyOf(known) : List.of();
    }

    Path path() {
        return path;
    }

    /** Whether stretches are asked for; if not, there is one segment, which starts anew after each break. */
    boolean ranged() {
        return ranged;
    }

    /** Bytes that are there. */
    long present() {
        return segments.stream().mapToLong(segment -> segment.at - segment.from).sum();
    }

    /** The segments that are not whole. */
    List<Segment> missing() {
        return segments.stream().filter(segment -> !segment.done()).toList();
    }

    /** Writes the next bytes of a segment. */
    void write(Segment segment, ByteBuffer bytes) throws InterruptedException {
        try {
            while (bytes.hasRemaining()) {
                segment.at += channel.write(bytes, segment.at);
            }
        } catch (AsynchronousCloseException e) { // this thread, or that of another segment, was interrupted
            throw new InterruptedException();
        } catch (ClosedChannelException e) {
            throw new InterruptedException();
        } catch (IOException e) {
            throw Disk.failure(path, "cannot be written", e);
        }
    }

    /** Begins again, asking for stretches as before. */
    void restart() {
        for (Segment segment : segments) {
            segment.at = segment.from;
        }
        if (!ranged) {
            segments = List.of(new Segment(0, 0, file.size() < 0 ? Long.MAX_VALUE : file.size()));
        }
        truncate();
    }

    /** Begins again and asks for all in one piece, since the server knows no other way. */
    void whole() {
        ranged = false;
        restart();
    }

    private void truncate() {
        try {
            if (!channel.isOpen()) { // the thread of a segment was interrupted while it wrote
                channel = open(path);
            }
            channel.truncate(0);
        } catch (IOException e) {
            throw Disk.failure(path, "cannot be written", e);
        }
    }

    /** Writes down what is there, for another process to go on with. */
    synchronized void save() {
        if (!ranged) {
            return;
        }
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("identity", file.identity()).put("size", file.size());
        ArrayNode array = json.putArray("segments");
        for (Segment segment : segments) { // before the bytes are forced: those written meanwhile do not count
            array.addArray().add(segment.from).add(segment.at).add(segment.to);
        }
        try {
            if (channel.isOpen()) {
                channel.force(false);
            }
            Path next = state.resolveSibling(state.getFileName() + ".next");
            Files.write(next, MAPPER.writeValueAsBytes(json));
            Files.move(next, state, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AsynchronousCloseException e) {
            Thread.currentThread().interrupt(); // it is saved once more when the fetch has stopped
        } catch (IOException e) {
            throw Disk.failure(state, "cannot be written", e);
        }
    }

    /** As the fetch ends before its time: what cannot be saved any more is fetched again. */
    void saveUnlessCommitted() {
        if (!committed) {
            try {
                save();
            } catch (InputException e) {
                // The fault that ended the fetch counts, and is likely to be this one.
            }
        }
    }

    /** Forces the bytes to the disk and gives the file its name. */
    void commit(Path target) throws InterruptedException {
        try {
            channel.force(true);
            channel.close();
            Files.move(path, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            committed = true;
            Files.deleteIfExists(state);
        } catch (ClosedChannelException e) {
            throw new InterruptedException();
        } catch (IOException e) {
            throw Disk.failure(target, "cannot be written", e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // What was not written is not counted as there.
        }
    }
}
