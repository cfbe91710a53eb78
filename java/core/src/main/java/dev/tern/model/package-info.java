/** The model: hyperparameters, weights, and the engine that runs it. */
@NullMarked
package dev.tern.model;

import org.jspecify.annotations.NullMarked;
