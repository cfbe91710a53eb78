package dev.tern.source;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Fetches some files of a folder side by side; the calling thread tells the progress, and stops all when it must. */
final class Downloads implements Download.Transfers {
    private static final long TELL_EVERY_MILLIS = 100;

    private final Http http;
    private final RemoteFolder remote;
    private final String label;
    private final SnapshotFolder folder;
    private final FetchOptions options;
    private final Semaphore connections;
    private final AtomicLong present = new AtomicLong();
    private final AtomicLong checked = new AtomicLong();
    private final AtomicLong received = new AtomicLong();
    private final ConcurrentLinkedQueue<String> notes = new ConcurrentLinkedQueue<>();

    Downloads(Http http, RemoteFolder remote, String label, SnapshotFolder folder, FetchOptions options) {
        this.http = http;
        this.remote = remote;
        this.label = label;
        this.folder = folder;
        this.options = options;
        this.connections = new Semaphore(options.connections());
    }

    /** Bytes that came over the network. */
    long received() {
        return received.get();
    }

    List<String> notes() {
        return List.copyOf(notes);
    }

    /**
     * Fetches files.
     *
     * @throws InputException when one cannot be had; what is there of them is kept
     */
    void fetch(List<RemoteFile> files) throws InterruptedException {
        Map<RemoteFile, PartFile> parts = new LinkedHashMap<>();
        try {
            for (RemoteFile file : files) {
                parts.put(file, PartFile.open(folder.hidden(), file, http.patience().segmentBytes()));
            }
            long total = files.stream().mapToLong(file -> Math.max(0, file.size())).sum();
            checked.set(0);
            present.set(parts.values().stream().mapToLong(PartFile::present).sum());
            if (present.get() > 0) {
                notes.add("went on after " + Fetch.size(present.get()) + " that were there of an earlier try");
            }
            Disk.requireRoom(folder.hidden(), total - present.get());
            run(parts, total);
        } finally {
            boolean interrupted = Thread.interrupted(); // files could not be written by an interrupted thread
            parts.values().forEach(PartFile::close);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void run(Map<RemoteFile, PartFile> parts, long total) throws InterruptedException {
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        boolean done = false;
        try {
            ExecutorCompletionService<Void> running = new ExecutorCompletionService<>(threads);
            List<Future<Void>> futures = new ArrayList<>();
            parts.forEach((file, part) -> {
                Download download =
                        new Download(this, file, part, folder.path().resolve(file.name()), label + "/" + file.name());
                futures.add(running.submit(() -> {
                    download.run();
                    return null;
                }));
            });
            for (int left = futures.size(); left > 0; ) {
                Future<Void> ended = running.poll(TELL_EVERY_MILLIS, TimeUnit.MILLISECONDS);
                tell(total);
                if (ended != null) {
                    result(ended);
                    left--;
                }
            }
            done = true;
        } finally {
            threads.shutdownNow();
            boolean interrupted = Thread.interrupted();
            threads.close(); // waits: nobody writes any more
            if (!done) {
                parts.values().forEach(PartFile::saveUnlessCommitted);
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void tell(long total) {
        long there = present.get();
        boolean checking = there >= total && checked.get() < total;
        long done = checking ? checked.get() : there;
        options.progress().advance(checking ? "check" : "fetch", done, Math.max(total, there));
    }

    private static void result(Future<Void> ended) throws InterruptedException {
        try {
            ended.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case null, default -> throw new InterruptedException();
            }
        }
    }

    @Override
    public Http http() {
        return http;
    }

    @Override
    public void acquire() throws InterruptedException {
        connections.acquire();
    }

    @Override
    public void release() {
        connections.release();
    }

    @Override
    public void gained(long bytes) {
        present.addAndGet(bytes);
        received.addAndGet(Math.max(0, bytes));
    }

    @Override
    public void checked(long bytes) {
        checked.addAndGet(bytes);
    }

    @Override
    public void note(String text) {
        notes.add(text);
    }

    @Override
    public RuntimeException refusal(String name, HttpStatusException answer) {
        return remote.refusal(name, answer);
    }
}
