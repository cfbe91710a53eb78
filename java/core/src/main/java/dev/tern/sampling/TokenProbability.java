package dev.tern.sampling;

/**
 * How likely a token was.
 *
 * @param id token id
 * @param logProbability natural logarithm of its probability; -infinity for one that could not be chosen
 */
public record TokenProbability(int id, float logProbability) {}
