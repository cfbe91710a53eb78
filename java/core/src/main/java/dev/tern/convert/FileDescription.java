package dev.tern.convert;

import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;

/**
 * What a file's metadata depends on, besides the source.
 *
 * @param model the hyperparameters, with the architecture that the file will have
 * @param outtype of most ternary weights, which decides {@code general.file_type}
 * @param tiles of its TL1 or TL2 matrices
 */
record FileDescription(ModelHyperparameters model, Outtype outtype, LutTiles tiles) {}
