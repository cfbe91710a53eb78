package dev.tern.measure.chart;

/**
 * What a chart is drawn into.
 *
 * @param id its own in the page, and the start of the ids in it
 * @param title what it shows
 * @param description its data in words, for those who do not see it
 * @param width in pixels
 */
public record Frame(String id, String title, String description, double width) {}
