/** Where checkpoints come from: local folders, the Hugging Face hub, Google Cloud Storage, plain https. */
@NullMarked
package dev.tern.source;

import org.jspecify.annotations.NullMarked;
