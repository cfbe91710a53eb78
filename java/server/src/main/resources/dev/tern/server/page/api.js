// The server's HTTP surface: what it serves, and answers as they come.

import { session } from './store.js';

const KEY = 'tern.key';
const KINDS = { 401: 'key', 403: 'refused', 503: 'busy' };

/** What went wrong, in words for people. `kind`: offline, key, loading, busy, context, refused, cut or failed. */
export class ApiError extends Error {
    constructor(kind, message) {
        super(message);
        this.kind = kind;
    }
}

/** The API key lives as long as the tab. */
export const apiKey = {
    get: () => session.getItem(KEY) ?? '',
    set: key => (key ? session.setItem(KEY, key) : session.removeItem(KEY)),
};

function headers() {
    const all = { 'Content-Type': 'application/json' };
    const key = apiKey.get();
    if (key) {
        // a header holds bytes: those of UTF-8, one character each
        all.Authorization = 'Bearer ' + String.fromCharCode(...new TextEncoder().encode(key));
    }
    return all;
}

function contextError(error) {
    return new ApiError(
        'context',
        `This chat is too long: it has ${error.n_prompt_tokens.toLocaleString()} tokens, and the` +
            ` model can hold ${error.n_ctx.toLocaleString()}. Delete earlier messages, or start a new chat.`,
    );
}

function describe(status, error, retryAfter) {
    const message = error?.message ?? `the server answered with status ${status}`;
    if (error?.type === 'exceed_context_size_error') {
        return contextError(error);
    }
    if (status === 503 && message === 'Loading model') {
        return new ApiError('loading', 'The model is being loaded.');
    }
    const kind = KINDS[status] ?? 'failed';
    const said = {
        key: apiKey.get() ? 'The server does not know this API key.' : 'This server wants an API key.',
        busy: `The server is busy: ${message}.${retryAfter ? ` Try again in ${retryAfter} s.` : ''}`,
    };
    return new ApiError(kind, said[kind] ?? `The server said: ${message}`);
}

async function request(path, options = {}) {
    let response;
    try {
        response = await fetch(path, { ...options, headers: headers(), cache: 'no-store' });
    } catch (error) {
        throw error.name === 'AbortError' ? error : new ApiError('offline', 'The server cannot be reached.');
    }
    if (!response.ok) {
        const body = await response.json().catch(() => null);
        throw describe(response.status, body?.error, Number(response.headers.get('Retry-After')) || 0);
    }
    return response;
}

/** What is served: `{id, contextLength, defaults, chat}`; `chat` says whether the model has a chat template. */
export async function describeServer(signal) {
    const [models, props] = await Promise.all(
        ['v1/models', 'props'].map(async path => (await request(path, { signal })).json()),
    );
    return {
        id: props.model_alias ?? models.data[0].id,
        contextLength: props.default_generation_settings.n_ctx,
        defaults: props.default_generation_settings.params,
        chat: Boolean(props.chat_template),
    };
}

/** The data of server-sent events (HTML, section 9.2), of which this server sends the simple kind. */
async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    try {
        while (true) {
            const { done, value } = await reader.read();
            if (done) {
                return;
            }
            const lines = (rest + value).split('\n');
            rest = lines.pop();
            for (const line of lines) {
                if (line.startsWith('data:')) {
                    yield line.slice(5).trim();
                }
            }
        }
    } finally {
        reader.cancel().catch(() => {});
    }
}

/**
 * Asks for an answer and hands on what comes: `{text, reasoning, progress, timings, usage, finish}`, each where there
 * is one. Messages become one text where the model has no chat template.
 */
export async function* answer(server, messages, settings, signal) {
    const common = {
        ...settings,
        stream: true,
        stream_options: { include_usage: true },
        timings_per_token: true,
        return_progress: true,
    };
    const [path, body] = server.chat
        ? ['v1/chat/completions', { messages, ...common }]
        : ['v1/completions', { prompt: plainPrompt(messages), max_tokens: -1, ...common }];
    const response = await request(path, { method: 'POST', body: JSON.stringify(body), signal });
    let ended = false;
    try {
        for await (const data of events(response)) {
            if (data === '[DONE]') {
                return;
            }
            const part = JSON.parse(data);
            if (part.error) {
                throw describe(part.error.code, part.error, 0);
            }
            const choice = part.choices?.[0];
            ended ||= Boolean(choice?.finish_reason);
            yield {
                text: choice?.delta?.content ?? choice?.text ?? '',
                reasoning: choice?.delta?.reasoning_content ?? '',
                progress: part.prompt_progress,
                timings: part.timings,
                usage: part.usage,
                finish: choice?.finish_reason,
            };
        }
    } catch (error) {
        throw error instanceof ApiError || error.name === 'AbortError' || ended ? error : cut();
    }
    if (!ended) {
        throw cut();
    }
}

function cut() {
    return new ApiError('cut', 'The connection was lost before the answer was complete.');
}

/** Without a template the model goes on with what was written: answers follow their questions without a break. */
export function plainPrompt(messages) {
    return messages.map(({ role, content }, at) => (role === 'assistant' || at === 0 ? '' : '\n') + content).join('');
}
