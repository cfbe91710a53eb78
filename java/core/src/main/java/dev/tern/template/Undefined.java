package dev.tern.template;

/** The value of what is not there: prints nothing, is false and empty, and breaks when used for more. */
record Undefined(String name) {

    TemplateError used() {
        return new TemplateError(name + " is undefined");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Undefined;
    }

    @Override
    public int hashCode() {
        return 1;
    }
}
