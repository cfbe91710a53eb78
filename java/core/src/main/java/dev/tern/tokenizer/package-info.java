/** Text to token ids and back: byte-level BPE, equal id for id to Hugging Face's {@code tokenizers}. */
@NullMarked
package dev.tern.tokenizer;

import org.jspecify.annotations.NullMarked;
