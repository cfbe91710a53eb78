package dev.tern.source;

import dev.tern.io.InputException;
import dev.tern.safetensors.ShardIndex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/** One fetch of a remote source: what is needed of it, what of that is there already, and the rest. */
final class Fetch {
    private static final int MOST_CHANGES = 3;

    private final RemoteSource source;
    private final FetchOptions options;
    private final ModelCache cache;
    private final String wanted;

    Fetch(RemoteSource source, FetchOptions options) {
        this.source = source;
        this.options = options;
        this.cache = new ModelCache(options);
        this.wanted = !options.weights() ? "config" : source.file().isEmpty() ? "weights" : "weights " + source.file();
    }

    FetchedModel run() throws InterruptedException {
        if (options.offline()) {
            return offline();
        }
        Optional<FetchedModel> pinned = source.pinned().flatMap(this::there);
        if (pinned.isPresent()) {
            return pinned.get();
        }
        try (Http http = new Http(options)) {
            RemoteFolder remote = source.connect(http, options);
            for (int changes = 0; ; changes++) {
                try {
                    return online(http, remote, changes > 0);
                } catch (SourceChangedException e) {
                    if (changes == MOST_CHANGES) {
                        throw InputException.at(source.label())
                                .problem("changes again and again while it is fetched: " + e.getMessage())
                                .cure("Try again when nobody writes there.")
                                .exception(e);
                    }
                }
            }
        }
    }

    /** The model of a revision as it lies here, if all of it does. */
    private Optional<FetchedModel> there(String revision) {
        SnapshotFolder folder = folder(revision);
        Optional<SnapshotRecord> record = folder.record();
        if (record.isEmpty()
                || !isOwn(record.get())
                || !record.get().revision().equals(revision)
                || !record.get().complete().contains(wanted)
                || !missing(folder, record.get()).isEmpty()) {
            return Optional.empty();
        }
        String note = source.label() + ": " + record.get().inWords() + ", fetched before";
        return Optional.of(model(folder, revision, 0, List.of(note)));
    }

    private SnapshotFolder folder(String revision) {
        return new SnapshotFolder(options.folder().orElseGet(() -> cache.snapshot(source, revision)));
    }

    /**
     * Whether a record is of this model: the cache sees to that by its paths, a folder that a person named does not.
     */
    private boolean isOwn(SnapshotRecord record) {
        return options.folder().isEmpty() || record.source().equals(source.label());
    }

    private static List<String> missing(SnapshotFolder folder, SnapshotRecord record) {
        return record.files().entrySet().stream()
                .filter(file -> !folder.holds(file.getKey(), file.getValue()))
                .map(Map.Entry::getKey)
                .toList();
    }

    private FetchedModel model(SnapshotFolder folder, String revision, long received, List<String> notes) {
        boolean named = options.weights() && !source.file().isEmpty();
        Path path = named ? folder.path().resolve(source.file()) : folder.path();
        return new FetchedModel(path, folder.path(), source.label(), Optional.of(revision), received, notes);
    }

    private FetchedModel offline() {
        Optional<String> revision = source.pinned();
        if (options.folder().isPresent()) {
            SnapshotFolder own = folder("");
            requireOwn(own, revision);
            revision = own.record().map(SnapshotRecord::revision);
        } else if (revision.isEmpty()) {
            revision = cache.seen(source);
        }
        Optional<FetchedModel> there = revision.flatMap(this::there);
        if (there.isPresent()) {
            return there.get();
        }
        InputException.Builder error = InputException.at(source.label());
        String where = options.folder().isEmpty() ? "in the cache" : "in the folder";
        Optional<SnapshotRecord> record = revision.flatMap(known -> folder(known).record());
        if (record.isEmpty()) {
            error.problem("is not " + where + ", and offline nothing is fetched")
                    .found("nothing of it in " + options.folder().orElseGet(cache::root));
        } else {
            List<String> missing = missing(folder(revision.get()), record.get());
            error.problem("is not whole " + where + ", and offline nothing is fetched")
                    .found(missing.isEmpty()
                            ? "only " + String.join(", ", record.get().complete()) + " of " + record.get().inWords()
                            : "missing " + Selection.some(missing));
        }
        throw error.cure("Fetch it once with a network, without --offline and TERN_OFFLINE.").exception();
    }

    /** @param again whether what is in the folder may be of an earlier state that this fetch itself began with */
    private FetchedModel online(Http http, RemoteFolder remote, boolean again) throws InterruptedException {
        RemoteFolder.Listing listing;
        try {
            listing = remote.list();
            List<String> notes = new ArrayList<>();
            Optional<String> before = cache.seen(source);
            if (before.isPresent() && !before.get().equals(listing.revision()) && options.folder().isEmpty()) {
                notes.add(source.label() + " has moved since it was last fetched: it was " + before.get());
            }
            SnapshotFolder folder = folder(listing.revision());
            requireOwn(folder, again ? Optional.empty() : Optional.of(listing.revision()));
            Wanted all = wanted(listing, folder);
            Downloads downloads = new Downloads(http, remote, source.label(), folder, options);
            if (!all.missing().isEmpty() || !recorded(folder, listing)) {
                try (AutoCloseable taken = folder.take(() -> options.progress().advance("wait", 0, 1))) {
                    all = provide(listing, folder, downloads);
                } catch (InterruptedException | RuntimeException e) {
                    throw e;
                } catch (IOException e) {
                    throw e;
                } catch (Exception e) {
                    throw new AssertionError("a channel throws nothing else when it is closed", e);
                }
            }
            boolean news = !before.equals(Optional.of(listing.revision())) && source.pinned().isEmpty();
            if (news && options.folder().isEmpty()) {
                cache.see(source, listing.revision());
            }
            return told(listing, folder, downloads, all, notes);
        } catch (HttpStatusException e) {
            throw remote.refusal("", e);
        } catch (IOException e) {
            throw InputException.at(source.label()).problem("cannot be fetched", e).exception(e);
        }
    }

    private FetchedModel told(
            RemoteFolder.Listing listing, SnapshotFolder folder, Downloads downloads, Wanted all, List<String> notes) {
        long received = downloads.received();
        String fetched = received == 0 ? "fetched before" : size(received) + " fetched to " + folder.path();
        notes.addFirst(source.label() + ": " + listing.revisionInWords() + ", " + fetched);
        notes.addAll(downloads.notes());
        if (received > 0) {
            String leftOut = Selection.leftOut(listing.names(), all.names());
            if (!leftOut.isEmpty() && options.weights()) {
                notes.add(leftOut);
            }
            List<String> unchecked = all.files().stream()
                    .filter(file -> file.checksums().isEmpty())
                    .map(RemoteFile::name)
                    .toList();
            if (!unchecked.isEmpty()) {
                notes.add("the server offers no checksum of " + Selection.some(unchecked)
                        + ": their sizes and the structure of safetensors were checked");
            }
        }
        return model(folder, listing.revision(), received, notes);
    }

    /** A size in words. */
    static String size(long bytes) {
        return bytes < 1 << 20 ? bytes + " bytes" : String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20));
    }

    private boolean recorded(SnapshotFolder folder, RemoteFolder.Listing listing) {
        return folder.record()
                .filter(record -> record.revision().equals(listing.revision()) && record.complete().contains(wanted))
                .isPresent();
    }

    /**
     * A folder that a person named must be empty, or hold this very model.
     *
     * @param revision that it must hold; any when empty
     */
    private void requireOwn(SnapshotFolder folder, Optional<String> revision) {
        if (options.folder().isEmpty() || folder.isEmpty()) {
            return;
        }
        Optional<SnapshotRecord> record = folder.record();
        boolean own = record.isPresent()
                && isOwn(record.get())
                && revision.map(record.get().revision()::equals).orElse(true);
        if (!own) {
            throw InputException.at(folder.path())
                    .problem("holds something else already")
                    .expected("an empty folder, or this model from an earlier fetch")
                    .found(record.map(other -> other.source() + ", " + other.inWords()).orElse("other files"))
                    .cure("Name another folder.")
                    .exception();
        }
    }

    /**
     * Files that are wanted, as far as is known.
     *
     * @param missing those of them that are not there
     */
    private record Wanted(List<RemoteFile> files, List<RemoteFile> missing) {
        Set<String> names() {
            Set<String> names = new LinkedHashSet<>();
            files.forEach(file -> names.add(file.name()));
            return names;
        }
    }

    /** The files that are wanted; shards only when the index that names them is there. */
    private Wanted wanted(RemoteFolder.Listing listing, SnapshotFolder folder)
            throws IOException, InterruptedException {
        List<RemoteFile> files = new ArrayList<>();
        if (!listing.names().contains(Selection.CONFIG)) {
            throw InputException.at(source.label())
                    .problem("there is no " + Selection.CONFIG + " in it")
                    .found(Selection.some(listing.names()))
                    .cure("Check the address: it must be that of the folder with config.json and the weights.")
                    .exception();
        }
        String weights = options.weights() ? Selection.weights(source.label(), listing.names(), source.file()) : "";
        for (String name : Selection.SMALL) {
            listing.find(name).ifPresent(files::add);
        }
        SequencedMap<String, SnapshotRecord.Entry> recorded = folder.record()
                .map(SnapshotRecord::files)
                .orElse(new LinkedHashMap<>());
        if (!weights.isEmpty()) {
            RemoteFile chosen = require(listing, weights);
            files.add(chosen);
            if (weights.equals(Selection.INDEX) && there(folder, recorded, chosen)) {
                for (String shard : ShardIndex.read(folder.path().resolve(weights)).files()) {
                    files.add(require(listing, shard));
                }
            }
        }
        return new Wanted(
                files, files.stream().filter(file -> !there(folder, recorded, file)).toList());
    }

    private RemoteFile require(RemoteFolder.Listing listing, String name) throws IOException, InterruptedException {
        return listing.find(name).orElseThrow(() -> InputException.at(source.label() + "/" + name)
                .problem("no such file, though " + Selection.INDEX + " maps tensors to it")
                .cure("The upload is incomplete: ask its owner, or take another revision.")
                .exception());
    }

    private static boolean there(SnapshotFolder folder, Map<String, SnapshotRecord.Entry> recorded, RemoteFile file) {
        SnapshotRecord.Entry entry = recorded.get(file.name());
        return entry != null && entry.identity().equals(file.identity()) && folder.holds(file.name(), entry);
    }

    /** Fetches what is missing, then what turns out to be missing when the index is there, and records it. */
    private Wanted provide(RemoteFolder.Listing listing, SnapshotFolder folder, Downloads downloads)
            throws IOException, InterruptedException {
        SnapshotRecord record = record(listing, folder);
        while (true) {
            Wanted all = wanted(listing, folder);
            if (all.missing().isEmpty()) {
                record.complete().add(wanted);
                record.complete().add("config");
                folder.write(record);
                return all;
            }
            for (RemoteFile file : all.files()) {
                SnapshotRecord.Entry entry = new SnapshotRecord.Entry(file.size(), file.identity());
                SnapshotRecord.Entry before = record.files().put(file.name(), entry);
                if (!entry.equals(before)) {
                    record.complete().clear();
                    folder.remove(file.name()); // of other contents, or nobody knows of which
                }
            }
            folder.write(record);
            List<RemoteFile> rest = all.missing().stream().filter(file -> !linked(folder, file)).toList();
            downloads.fetch(rest);
        }
    }

    /**
     * The record for this state of the model. Of an earlier state in the same folder, which was left when the server
     * changed it, only files that are still the same are kept.
     */
    private SnapshotRecord record(RemoteFolder.Listing listing, SnapshotFolder folder)
            throws IOException, InterruptedException {
        Optional<SnapshotRecord> there = folder.record();
        if (there.isPresent() && there.get().revision().equals(listing.revision())) {
            return there.get();
        }
        SnapshotRecord record = SnapshotRecord.empty(source.label(), listing.revision(), listing.revisionInWords());
        if (there.isPresent()) {
            for (Map.Entry<String, SnapshotRecord.Entry> file : there.get().files().entrySet()) {
                Optional<RemoteFile> now = listing.find(file.getKey());
                if (now.isPresent() && now.get().identity().equals(file.getValue().identity())) {
                    record.files().put(file.getKey(), file.getValue());
                } else {
                    folder.remove(file.getKey());
                }
            }
        }
        return record;
    }

    /** Takes a file from another revision in the cache when it is the same there. */
    private boolean linked(SnapshotFolder folder, RemoteFile file) {
        if (file.checksums().isEmpty() || options.folder().isPresent()) {
            return false;
        }
        for (SnapshotFolder other : cache.others(source, folder.path())) {
            SnapshotRecord.Entry entry = other.record().map(record -> record.files().get(file.name())).orElse(null);
            if (entry != null && entry.identity().equals(file.identity()) && other.holds(file.name(), entry)) {
                Path target = folder.path().resolve(file.name());
                try {
                    Files.createLink(target, other.path().resolve(file.name()));
                    return true;
                } catch (IOException | UnsupportedOperationException e) {
                    return false; // fetched instead
                }
            }
        }
        return false;
    }
}
