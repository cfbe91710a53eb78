/** Measures machines, models and other engines, and reports what it found. */
module dev.tern.measure {
    requires transitive dev.tern.core;
    requires dev.tern.kernels;
    requires tools.jackson.databind;
    requires static org.jspecify;

    exports dev.tern.measure;
    exports dev.tern.measure.comparison;
    exports dev.tern.measure.formats;
    exports dev.tern.measure.report;
    exports dev.tern.measure.rivals;

    opens dev.tern.measure to
            tools.jackson.databind;
    opens dev.tern.measure.comparison to
            tools.jackson.databind;
}
