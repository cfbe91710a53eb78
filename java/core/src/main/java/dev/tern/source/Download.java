package dev.tern.source;

import dev.tern.io.InputException;
import dev.tern.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Fetches one file: its segments in parallel, each as often as patience allows; checks the whole against what the
 * server says of it, and only then gives it its name. Used by one thread.
 */
final class Download {
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

    private final Transfers transfers;
    private final RemoteFile file;
    private final PartFile part;
    private final Path target;
    private final String where;

    /** The server answered with the whole file to a request for a stretch. */
    private static final class RangeIgnoredException extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /**
     * @param part of this file
     * @param target the name that it gets
     * @param where what errors call it
     */
    Download(Transfers transfers, RemoteFile file, PartFile part, Path target, String where) {
        this.transfers = transfers;
        this.file = file;
        this.part = part;
        this.target = target;
        this.where = where;
    }

    /** What all downloads of a fetch share. */
    interface Transfers {
        Http http();

        /** Takes one of the connections that may be open; {@link #release} gives it back. */
        void acquire() throws InterruptedException;

        void release();

        /** So many bytes are there now that were not before, or, negative, have to be fetched again. */
        void gained(long bytes);

        /** So many bytes more were compared with their checksum. */
        void checked(long bytes);

        /** Something that a person should know. */
        void note(String text);

        /** The error for a file that the server refuses, as {@link RemoteFolder#refusal} gives it. */
        RuntimeException refusal(String name, HttpStatusException answer);
    }

    /** Fetches what is missing. */
    void run() throws InterruptedException {
        for (int damaged = 0; ; damaged++) {
            try {
                fetchMissing();
            } catch (HttpStatusException e) {
                throw transfers.refusal(file.name(), e);
            } catch (IOException e) {
                throw InputException.at(where).problem("cannot be fetched", e).exception(e);
            }
            Optional<InputException> fault = fault();
            if (fault.isEmpty()) {
                part.commit(target);
                return;
            }
            if (damaged == 1) {
                throw fault.get();
            }
            transfers.note(file.name() + " came damaged and is fetched again");
            transfers.gained(-part.present());
            part.restart();
        }
    }

    private void fetchMissing() throws IOException, InterruptedException {
        for (List<PartFile.Segment> missing = part.missing(); !missing.isEmpty(); missing = part.missing()) {
            try {
                transfer(missing.getFirst()); // alone: it shows whether the server gives stretches
                if (missing.size() > 1) {
                    transfer(missing.subList(1, missing.size()));
                }
            } catch (RangeIgnoredException e) {
                transfers.gained(-part.present());
                part.whole();
            }
        }
    }

    private void transfer(List<PartFile.Segment> segments) throws IOException, InterruptedException {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> futures = new ArrayList<>();
            for (PartFile.Segment segment : segments) {
                futures.add(threads.submit(() -> {
                    transfer(segment);
                    return null;
                }));
            }
            try {
                for (Future<?> future : futures) {
                    future.get();
                }
            } catch (ExecutionException e) {
                threads.shutdownNow(); // the others end before this method does
                switch (e.getCause()) {
                    case IOException failure -> throw failure;
                    case RuntimeException failure -> throw failure;
                    case Error failure -> throw failure;
                    case null, default -> throw new InterruptedException();
                }
            } catch (InterruptedException e) {
                threads.shutdownNow();
                throw e;
            }
        }
    }

    private void transfer(PartFile.Segment segment) throws IOException, InterruptedException {
        Attempts attempts = new Attempts(where, transfers.http().patience());
        while (!segment.done()) {
            if (!part.ranged() && segment.at() > 0) {
                transfers.gained(-part.present());
                part.restart();
                segment = part.missing().getFirst();
            }
            long before = segment.at();
            IOException failure;
            transfers.acquire();
            try {
                attempt(segment);
                continue;
            } catch (RangeIgnoredException e) {
                throw e;
            } catch (IOException e) {
                failure = e;
            } finally {
                transfers.release();
            }
            if (!segment.done()) { // a connection that breaks behind the last byte breaks nothing
                attempts.failed(failure, part.ranged() ? segment.at() - before : 0);
            }
        }
        if (part.ranged()) {
            part.save();
        }
    }

    private void attempt(PartFile.Segment segment) throws IOException, InterruptedException {
        boolean stretch = part.ranged() && !(segment.at() == 0 && segment.to() == file.size());
        Map<String, String> headers = new LinkedHashMap<>();
        if (stretch) {
            headers.put("Range", "bytes=" + segment.at() + "-" + (segment.to() - 1));
            if (!file.validator().isEmpty()) {
                headers.put("If-Range", file.validator());
            }
        }
        Http.Request request = Http.Request.get(file.uri(), file.authorization()).with(headers);
        try (Http.Response response = transfers.http().open(request)) {
            examine(response, segment, stretch);
            receive(response, segment);
        }
    }

    private void examine(Http.Response response, PartFile.Segment segment, boolean stretch) throws IOException {
        if (response.status() == 416) {
            throw new SourceChangedException(where + " is shorter than it was");
        }
        response.requireSuccess();
        String coding = response.header("Content-Encoding");
        if (!coding.isEmpty() && !coding.equalsIgnoreCase("identity")) {
            throw InputException.at(where)
                    .problem("the server sends it compressed though it was asked not to")
                    .expected("the file's own bytes")
                    .found("Content-Encoding: " + coding)
                    .exception();
        }
        if (Validators.contradict(response.headers(), file.validator())) {
            throw new SourceChangedException(where + " has other contents than it had");
        }
        if (response.status() == 206) {
            Matcher range = CONTENT_RANGE.matcher(response.header("Content-Range"));
            boolean right = range.matches()
                    && Long.parseLong(range.group(1)) == segment.at()
                    && (range.group(3).equals("*") || Long.parseLong(range.group(3)) == file.size());
            if (!stretch || !right) {
                throw new IOException(response.host() + " sends other bytes than asked for: "
                        + response.header("Content-Range"));
            }
        } else if (stretch) {
            throw new RangeIgnoredException();
        } else {
            long announced = response.length();
            if (announced >= 0 && file.size() >= 0 && announced != file.size()) {
                throw new IOException(response.host() + " announces " + announced + " bytes of " + file.size());
            }
        }
    }

    private void receive(Http.Response response, PartFile.Segment segment) throws IOException, InterruptedException {
        for (List<ByteBuffer> chunk = response.body().next(); chunk != null; chunk = response.body().next()) {
            for (ByteBuffer buffer : chunk) {
                int count = buffer.remaining();
                if (count > segment.to() - segment.at()) {
                    throw new IOException(response.host() + " sends more than asked for");
                }
                part.write(segment, buffer);
                transfers.gained(count);
            }
        }
        if (file.size() < 0) {
            segment.end();
        }
        if (!segment.done()) {
            throw new IOException(response.host() + " broke off after " + segment.at() + " of " + segment.to()
                    + " bytes");
        }
    }

    /** What is wrong with the file now that it is there. */
    private Optional<InputException> fault() throws InterruptedException {
        try {
            Optional<Checksum.Mismatch> mismatch = Checksum.check(part.path(), file.checksums(), count -> {
                transfers.checked(count);
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            });
            if (mismatch.isPresent()) {
                Checksum expected = mismatch.get().expected();
                return Optional.of(InputException.at(where)
                        .problem("came damaged twice")
                        .expected(expected)
                        .found(mismatch.get().found())
                        .cure("A server or proxy on the way changes the bytes: try later, or from another network.")
                        .exception());
            }
        } catch (IOException e) {
            throw Disk.failure(part.path(), "cannot be read", e);
        }
        if (file.name().endsWith(".safetensors")) {
            try (SafetensorsFile whole = SafetensorsFile.open(part.path())) {
                return Optional.empty();
            } catch (InputException e) {
                return Optional.of(InputException.at(where)
                        .problem("is damaged, or no safetensors file: " + e.getMessage())
                        .exception(e));
            }
        }
        return Optional.empty();
    }
}
