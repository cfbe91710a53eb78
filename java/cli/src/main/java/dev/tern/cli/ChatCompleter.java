package dev.tern.cli;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;

/**
 * Completes commands, the files that they take, and the names of settings. Messages are not completed. A line is one word up
 * to the first space and another behind it, so that file names may have spaces.
 */
final class ChatCompleter implements Completer, Parser {
    private static final int MOST_FILES = 1000;

    /** A command, or what follows it. */
    private record Words(String line, int cursor, int start) implements CompletingParsedLine {
        @Override
        public String word() {
            return line.substring(start);
        }

        @Override
        public int wordCursor() {
            return Math.max(0, cursor - start);
        }

        @Override
        public int wordIndex() {
            return start == 0 ? 0 : 1;
        }

        @Override
        public CharSequence escape(CharSequence candidate, boolean complete) {
            return candidate; // nothing is quoted
        }

        @Override
        public int rawWordCursor() {
            return wordCursor();
        }

        @Override
        public int rawWordLength() {
            return word().length();
        }

        @Override
        public List<String> words() {
            return start == 0 ? List.of(line) : List.of(line.substring(0, start).strip(), word());
        }
    }

    @Override
    public ParsedLine parse(String line, int cursor, ParseContext context) {
        int space = line.indexOf(' ');
        return new Words(line, cursor, line.startsWith("/") && space >= 0 && space < cursor ? space + 1 : 0);
    }

    @Override
    public void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
        if (!line.line().startsWith("/")) {
            return;
        }
        String typed = line.word().substring(0, line.wordCursor());
        if (line.wordIndex() == 0) {
            for (SlashCommand command : SlashCommand.values()) {
                String usage = (command.parameters() + "  " + command.description()).strip();
                candidates.add(new Candidate(command.word(), command.word(), null, usage, null, null, true));
            }
            return;
        }
        SlashCommand command = SlashCommand.of(line.words().getFirst()).orElse(null);
        if (command != null && command.takesFile()) {
            completeFile(typed, candidates);
        } else if (command == SlashCommand.SET && !typed.contains(" ")) {
            for (ChatSetting setting : ChatSetting.values()) {
                candidates.add(new Candidate(setting.label()));
            }
        } else if (command == SlashCommand.STATS) {
            candidates.add(new Candidate("on"));
            candidates.add(new Candidate("off"));
        }
    }

    private static void completeFile(String typed, List<Candidate> candidates) {
        int slash = typed.lastIndexOf('/');
        String folder = typed.substring(0, slash + 1);
        String begun = typed.substring(slash + 1);
        try {
            Path searched = folder.isEmpty() ? Path.of("") : UserPath.of(folder);
            try (DirectoryStream<Path> files = Files.newDirectoryStream(searched.toAbsolutePath())) {
                for (Path file : files) {
                    String name = file.getFileName().toString();
                    if (candidates.size() >= MOST_FILES) {
                        return;
                    }
                    if (name.startsWith(begun) && (begun.startsWith(".") || !name.startsWith("."))) {
                        boolean isFolder = Files.isDirectory(file);
                        String value = folder + name + (isFolder ? "/" : "");
                        candidates.add(new Candidate(value, isFolder ? name + "/" : name, null, null, null, null, !isFolder));
                    }
                }
            }
        } catch (IOException | InvalidPathException e) {
            return; // what cannot be listed has nothing to offer
        }
    }
}
