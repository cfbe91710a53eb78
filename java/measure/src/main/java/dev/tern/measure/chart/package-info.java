/** Charts as inline SVG, drawn for one width in pixels each and coloured by the page around them. */
@NullMarked
package dev.tern.measure.chart;

import org.jspecify.annotations.NullMarked;
