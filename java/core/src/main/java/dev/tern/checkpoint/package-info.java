/** Hugging Face checkpoints of ternary models: config.json and safetensors in, the canonical (T, s) out. */
@NullMarked
package dev.tern.checkpoint;

import org.jspecify.annotations.NullMarked;
