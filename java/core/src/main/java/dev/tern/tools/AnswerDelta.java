package dev.tern.tools;

/** What an answer has more of. All deltas in their order are the answer; none is ever taken back. */
public sealed interface AnswerDelta {
    /** More of the content. */
    record Content(String text) implements AnswerDelta {}

    /** More of the reasoning before the content. */
    record Reasoning(String text) implements AnswerDelta {}

    /**
     * A call begins.
     *
     * @param index of the call in this answer, from 0
     */
    record CallBegin(int index, String id, String name) implements AnswerDelta {}

    /** More of the arguments of the call that began last: a piece of a JSON object's text. */
    record CallArguments(int index, String text) implements AnswerDelta {}
}
