package dev.tern.cli;

import dev.tern.io.InputException;
import dev.tern.server.ServerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a server listens, and to whom. */
final class ListeningOptions {
    @Option(
            names = "--host",
            paramLabel = "HOST",
            defaultValue = "${env:LLAMA_ARG_HOST:-127.0.0.1}",
            description = "Name or address to listen at (default: 127.0.0.1, this machine alone; 0.0.0.0 is all).")
    private String host = "";

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "${env:LLAMA_ARG_PORT:-${env:PORT:-30000}}",
            description = "Port to listen at; 0 takes a free one (default: 30000).")
    private int port;

    @Option(
            names = "--api-key",
            paramLabel = "K",
            split = ",",
            defaultValue = "${env:LLAMA_API_KEY:-" + Option.NULL_VALUE + "}",
            description = "Answer only requests that bring one of these keys, as 'Authorization: Bearer K'. Others on"
                    + " this machine can see the command line: prefer a file.")
    private @Nullable List<String> apiKeys;

    @Option(
            names = "--api-key-file",
            paramLabel = "FILE",
            description = "File of such keys, one a line; lines that begin with # are comments.")
    private @Nullable Path apiKeyFile;

    @Option(
            names = "--cors",
            paramLabel = "ORIGIN",
            split = ",",
            description = "Let pages of this origin call the server, such as http://localhost:3000; * for all (default:"
                    + " none).")
    private List<String> origins = new ArrayList<>();

    @Option(
            names = "--allowed-host",
            paramLabel = "NAME",
            split = ",",
            description = "Let clients call the server by this name, besides addresses, localhost and --host. Needed"
                    + " only without --api-key: else a page could call the server by a name of its own that leads"
                    + " here.")
    private List<String> hosts = new ArrayList<>();

    /** All keys, of the command line and the file. */
    List<String> keys() {
        List<String> keys = new ArrayList<>(apiKeys == null ? List.of() : apiKeys);
        if (apiKeyFile != null) {
            List<String> lines = lines(apiKeyFile);
            if (lines.isEmpty()) {
                throw InputException.at(apiKeyFile)
                        .problem("there is no key in this file")
                        .expected("one a line")
                        .exception();
            }
            keys.addAll(lines);
        }
        return keys;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file).stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .toList();
        } catch (NoSuchFileException e) {
            throw InputException.at(file).problem("no such file").exception();
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read", e).exception(e);
        }
    }

    void applyTo(ServerOptions.Builder options) {
        options.host(host).port(port).apiKeys(keys()).corsOrigins(origins).allowedHosts(hosts);
    }
}
