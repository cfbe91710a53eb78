package dev.tern.server.http;

/** A request that cannot be read or will not be: the status that says so. */
public final class HttpException extends Exception {
    private static final long serialVersionUID = 1;

    private final int status;

    HttpException(int status, String message) {
        super(message, null, false, false);
        this.status = status;
    }

    /** The status of the answer. */
    public int status() {
        return status;
    }

    /** What is wrong, for a person; never null. */
    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
