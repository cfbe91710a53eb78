// The settings dialog: the chat's system prompt, sampling, the key.

import { $, el, toast } from './dom.js';
import { apiKey } from './api.js';

const FIELDS = [
    {
        name: 'temperature',
        label: 'Temperature',
        min: 0,
        max: 5,
        step: 0.05,
        hint: '0 always takes the likeliest token',
    },
    { name: 'top_k', label: 'Top-k', min: 0, step: 1, hint: 'The k likeliest tokens; 0 for all' },
    { name: 'top_p', label: 'Top-p', min: 0, max: 1, step: 0.01, hint: 'The likeliest that make up this share' },
    { name: 'min_p', label: 'Min-p', min: 0, max: 1, step: 0.01, hint: 'At least this share of the likeliest' },
    { name: 'repeat_penalty', label: 'Repeat penalty', min: 0.1, max: 10, step: 0.05, hint: '1 is none' },
    { name: 'max_tokens', label: 'Most tokens', min: 1, step: 1, hint: 'Of one answer' },
    {
        name: 'seed',
        label: 'Seed',
        min: 0,
        max: Number.MAX_SAFE_INTEGER,
        step: 1,
        hint: 'The same seed gives the same answer',
    },
];
const NONE = { max_tokens: 'no limit', seed: 'random' };

export class Settings {
    /**
     * @param stored `{sampling, system, theme}`, which is changed
     * @param changed called after each change of it; `chatChanged` with the chat's new system prompt; `keyChanged`
     */
    constructor(stored, { changed, chatChanged, keyChanged }) {
        this.stored = stored;
        this.changed = changed;
        $('#sampling').append(...FIELDS.map(field => this.#field(field)));
        $('#system').oninput = () => chatChanged($('#system').value);
        $('#keep-system').onclick = () => {
            stored.system = $('#system').value;
            changed();
            toast(
                stored.system.trim()
                    ? 'New chats begin with this system prompt.'
                    : 'New chats begin without a system prompt.',
            );
        };
        $('#reset').onclick = () => {
            stored.sampling = {};
            changed();
            this.#fill();
        };
        $('#key').onchange = () => {
            apiKey.set($('#key').value.trim());
            keyChanged();
        };
    }

    /** @param server as it describes itself, null while that is unknown */
    open(chat, server) {
        $('#system').value = chat.system;
        $('#system').disabled = server?.chat === false;
        this.describe(server);
        $('#key-setting').hidden = !apiKey.get();
        $('#key').value = apiKey.get();
        this.#fill();
        $('#settings').showModal();
    }

    /** Shows the server's own settings where the user has none. */
    describe(server) {
        for (const { name } of FIELDS) {
            const value = server?.defaults[name];
            const none = value === undefined || (name in NONE && value < 0);
            $('#set-' + name).placeholder = none ? (NONE[name] ?? '') : String(Number(value.toPrecision(6)));
        }
    }

    /** What a request is to say: only what the user has chosen. */
    get sampling() {
        return { ...this.stored.sampling };
    }

    #fill() {
        for (const { name, hint } of FIELDS) {
            $('#set-' + name).value = this.stored.sampling[name] ?? '';
            $('#set-' + name).removeAttribute('aria-invalid');
            $('#hint-' + name).textContent = hint;
        }
    }

    #field({ name, label, min, max, step, hint }) {
        const input = el('input', {
            id: 'set-' + name,
            type: 'number',
            min,
            max: max ?? null,
            step,
            'aria-describedby': 'hint-' + name,
            inputmode: step === 1 ? 'numeric' : 'decimal',
            autocomplete: 'off',
        });
        const note = el('span', { id: 'hint-' + name, class: 'hint' }, hint);
        input.addEventListener('input', () => {
            const value = input.valueAsNumber;
            const empty = input.value === '' && !input.validity.badInput;
            const good =
                empty || (value >= min && value <= (max ?? 1e9) && (step !== 1 || Number.isSafeInteger(value)));
            input.setAttribute('aria-invalid', String(!good));
            note.textContent = good
                ? hint
                : 'Expected a ' +
                  (step === 1 ? 'whole ' : '') +
                  `number from ${min}${max <= 10 ? ` to ${max}` : ' on'}`;
            if (good) {
                if (empty) {
                    delete this.stored.sampling[name];
                } else {
                    this.stored.sampling[name] = value;
                }
                this.changed();
            }
        });
        return el('div', { class: 'setting' }, el('label', { for: 'set-' + name }, label), input, note);
    }
}
