package dev.tern.server.api;

import dev.tern.Pooling;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What the server's options mean to its endpoints.
 *
 * @param metrics whether {@code /metrics} answers
 * @param props whether {@code POST /props} is allowed
 * @param slotSavePath folder of saved slots; without it slots cannot be saved
 * @param pooling how the states of a text's tokens become its embedding; empty for one of each token
 * @param maxChoices most completions that one request may ask for
 * @param pingInterval between comments in a stream in which nothing else comes
 * @param buildInfo what {@code /props} says of the program
 */
public record EndpointOptions(
        boolean metrics,
        boolean props,
        Optional<Path> slotSavePath,
        Optional<Pooling> pooling,
        int maxChoices,
        Duration pingInterval,
        String buildInfo) {}
