/** Chat templates: the part of Jinja2 that models' templates are written in, with Python's meaning of values. */
@NullMarked
package dev.tern.template;

import org.jspecify.annotations.NullMarked;
