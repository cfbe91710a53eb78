package dev.tern.template;

/** What a template did that cannot be done; the renderer adds where, and makes it an InputException. */
final class TemplateError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TemplateError(String problem) {
        super(problem, null, false, false);
    }
}
