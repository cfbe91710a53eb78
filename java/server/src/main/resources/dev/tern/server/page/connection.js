// The server: what it says of itself, and what is shown while it cannot be reached.

import { ApiError, apiKey, describeServer } from './api.js';
import { $, el } from './dom.js';

const WHILE_LOADING = 1000; // ms between tries
const WHILE_LOST = 5000;

export class Connection {
    /** The server as it describes itself; null while that is unknown. */
    server = null;
    #attempt = 0;
    #timer = 0;
    #described;

    /** @param described is told what the server says of itself, whenever it has been reached */
    constructor({ described }) {
        this.#described = described;
    }

    /** What the server says of itself, asked where it is not known. */
    async known(signal) {
        this.server ??= await describeServer(signal);
        return this.server;
    }

    /** The server was lost: looks for it again. */
    lose() {
        this.server = null;
        this.connect();
    }

    /** Finds out what the server is, again and again until it says so; a later call takes the place of an earlier. */
    async connect() {
        const mine = ++this.#attempt;
        clearTimeout(this.#timer);
        try {
            this.server = await describeServer();
        } catch (error) {
            if (mine === this.#attempt) {
                this.server = null;
                this.#refused(error);
            }
            return;
        }
        $('#model').textContent = this.server.id.split(/[\\/]/).at(-1);
        $('#model').title = this.server.id;
        const warning =
            'This model has no chat template: it goes on with your text ' +
            'instead of answering it, and takes no system prompt.';
        $('#notice').replaceChildren(...(this.server.chat ? [] : [el('p', {}, warning)]));
        this.#described(this.server);
    }

    #refused(error) {
        if (error.kind === 'key') {
            this.#askForKey(error.message);
            return;
        }
        const text =
            error instanceof ApiError ? error.message : `The server's answer was not understood: ${error.message}`;
        if ($('#notice').dataset.text !== text || !$('#notice').children.length) {
            $('#notice').replaceChildren(
                el('p', {}, text),
                el('button', { type: 'button', onclick: () => this.connect() }, 'Try again'),
            );
            $('#notice').dataset.text = text;
        }
        this.#timer = setTimeout(() => this.connect(), error.kind === 'loading' ? WHILE_LOADING : WHILE_LOST);
    }

    #askForKey(message) {
        const field = el('input', {
            type: 'password',
            id: 'key-field',
            autocomplete: 'off',
            spellcheck: 'false',
            required: true,
        });
        const use = event => {
            event.preventDefault();
            apiKey.set(field.value.trim());
            this.connect();
        };
        $('#notice').replaceChildren(
            el(
                'form',
                { onsubmit: use },
                el('label', { for: 'key-field' }, message),
                el('div', { class: 'row' }, field, el('button', { type: 'submit', class: 'primary' }, 'Use')),
            ),
        );
    }
}
