/** Requests' JSON, read field by field, with errors that name the field. */
@NullMarked
package dev.tern.server.json;

import org.jspecify.annotations.NullMarked;
