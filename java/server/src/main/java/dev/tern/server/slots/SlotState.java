package dev.tern.server.slots;

/**
 * A slot at one moment.
 *
 * @param id its number, from 0
 * @param contextLength tokens it can hold
 * @param tokens tokens in its cache
 * @param busy whether it works on a request
 * @param task number of the request it works on or worked on last; -1 when there was none
 * @param generated tokens generated for it
 * @param speculative whether tokens are drafted
 */
public record SlotState(
        int id, int contextLength, int tokens, boolean busy, long task, int generated, boolean speculative) {}
