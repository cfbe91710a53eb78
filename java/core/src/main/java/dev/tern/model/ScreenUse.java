package dev.tern.model;

/**
 * What a screen of the head has done so far.
 *
 * @param tries passes that it was asked in
 * @param spared of these, the ones that did without most of the head: with one token, nine tenths or more of its rows
 * @param rows that were computed in those, all together
 * @param bytes of memory it takes, 0 before it is made
 */
public record ScreenUse(long tries, long spared, long rows, long bytes) {}
