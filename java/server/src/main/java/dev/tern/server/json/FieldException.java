package dev.tern.server.json;

import java.util.Optional;

/** A request's body is not JSON, or a field of it not what it should be. */
public final class FieldException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String field;

    /** @param field such as {@code messages[2].role}; empty for the whole body */
    public FieldException(String field, String problem) {
        super(field.isEmpty() ? problem : field + ": " + problem, null, false, false);
        this.field = field;
    }

    /** The field at fault. */
    public Optional<String> field() {
        return field.isEmpty() ? Optional.empty() : Optional.of(field);
    }

    /** For the person who sent it; never null. */
    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
