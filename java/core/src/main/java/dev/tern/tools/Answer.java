package dev.tern.tools;

import java.util.List;

/**
 * An answer, read.
 *
 * @param content empty where there is none; has the text of calls that broke off or are malformed
 * @param reasoning what stood between the marks of reasoning; empty where there is none
 * @param calls the arguments of each are a whole JSON object
 */
public record Answer(String content, String reasoning, List<ToolCall> calls) {
    public Answer {
        calls = List.copyOf(calls);
    }
}
