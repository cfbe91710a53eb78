package dev.tern.server.slots;

/**
 * How likely a token was.
 *
 * @param id token id
 * @param logProbability natural logarithm of its probability, in the softmax of all logits as the model gives them, or
 *     after the sampler's filters, as the request wants it
 */
public record TokenProbability(int id, float logProbability) {}
