// An answer as it is written: into its message, and read out.

import { ApiError, answer } from './api.js';
import { announce } from './dom.js';
import { titleOf } from './sidebar.js';
import { path } from './store.js';

/**
 * Has the model write a message, or go on with it, until it is whole, stopped or lost; what happened is in the message.
 *
 * @param describe gives the server as it describes itself
 * @param isOpen whether the chat is the open one, which is read out; of others it is only said how they end
 * @param changed called with what says what happens meanwhile, whenever there is more
 * @returns whether the server is gone, or wants something first
 */
export async function writeAnswer(describe, isOpen, chat, message, sampling, signal, changed) {
    const begun = message.content.length;
    const reader = new ParagraphReader(isOpen);
    let status = 'Waiting for the server …';
    delete message.error;
    delete message.finish;
    delete message.stats;
    if (!message.content) {
        delete message.reasoning;
    }
    announce('The model is answering.');
    changed(() => status);
    try {
        const server = await describe();
        message.model = server.id;
        for await (const part of answer(server, conversation(server, chat, message), sampling, signal)) {
            message.content += part.text;
            message.reasoning = (message.reasoning ?? '') + part.reasoning;
            message.finish = part.finish ?? message.finish;
            if (part.progress) {
                const { processed, total } = part.progress;
                status =
                    processed < total
                        ? `Reading the prompt: ${processed.toLocaleString()} of ${total.toLocaleString()} tokens …`
                        : 'Thinking …';
            }
            if (part.timings?.predicted_n) {
                message.stats = statistics(part.timings);
                status = '';
            }
            if (message.finish === 'length' && part.usage?.total_tokens >= server.contextLength) {
                message.finish = 'full';
            }
            reader.read(message.content.slice(begun));
            changed(() => status);
        }
        reader.end();
        announce(isOpen() ? 'The answer is complete.' : `The answer in ${titleOf(chat)} is complete.`);
        return false;
    } catch (error) {
        const lost = failed(error, message);
        if (message.error && !isOpen()) {
            announce(`The answer in ${titleOf(chat)} has failed.`); // in the open chat the problem is an alert
        }
        return lost;
    }
}

function failed(error, message) {
    if (error.name === 'AbortError') {
        message.finish = 'stopped';
        announce('Stopped.');
        return false;
    }
    delete message.finish;
    message.error = error instanceof ApiError ? error.message : `The page failed: ${error.message}`;
    return ['key', 'loading', 'offline'].includes(error.kind);
}

/** What the model is told: the system prompt, and all up to the message that it writes. */
function conversation(server, chat, message) {
    const said = path(chat, message.id)
        .filter(other => other !== message || other.content)
        .map(({ role, content }) => ({ role, content }));
    return chat.system.trim() && server.chat ? [{ role: 'system', content: chat.system }, ...said] : said;
}

function statistics(timings) {
    return {
        tokens: timings.predicted_n,
        perSecond: timings.predicted_per_second,
        prompt: timings.prompt_n,
        cached: timings.cache_n,
        promptMillis: timings.prompt_ms,
    };
}

/**
 * Reads out an answer paragraph by paragraph, each once it is whole: single tokens cannot be followed by ear. What
 * comes while the chat is not open is not read.
 */
class ParagraphReader {
    #text = '';
    #said = 0;

    constructor(isOpen) {
        this.isOpen = isOpen;
    }

    read(text) {
        this.#text = text;
        const end = text.lastIndexOf('\n\n');
        if (end > this.#said) {
            this.#say(end);
        }
    }

    end() {
        this.#say(this.#text.length);
    }

    #say(end) {
        const paragraph = this.#text
            .slice(this.#said, end)
            .replace(/[*_`#|>]+/g, '')
            .trim();
        this.#said = end;
        if (paragraph && this.isOpen()) {
            announce(paragraph);
        }
    }
}
