package dev.tern.measure.comparison;

/**
 * How much a format's predictions differ from those of the checkpoint computed without a file between, its embedding, head
 * and scales as they are stored.
 *
 * @param perplexity of the text in this format
 * @param referencePerplexity of the text in the checkpoint
 * @param meanKl Kullback-Leibler divergence of the format's distribution of the next token from the checkpoint's, in
 *     nats, mean over the positions; 0 where all logits are equal to the bit
 * @param mostKl the largest of a position
 * @param greedyAgreement share of the positions at which both hold the same token for the most likely
 * @param positions scored
 * @param identical whether all logits are equal to the bit
 */
public record Quality(
        double perplexity,
        double referencePerplexity,
        double meanKl,
        double mostKl,
        double greedyAgreement,
        int positions,
        boolean identical) {}
