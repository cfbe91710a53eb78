/** A Chromium for the tests of pages: what a user sees and does, and what the page asks for and complains of. */
@NullMarked
package dev.tern.browser;

import org.jspecify.annotations.NullMarked;
