// The messages of the chat that is open.

import { copy, count, el, iconButton } from './dom.js';
import { render } from './markdown.js';
import { siblings } from './store.js';

const NAMES = { user: 'You', assistant: 'Model' };

/** What a message has cost, in words. */
export function costs({ tokens, perSecond, prompt, cached, promptMillis }) {
    const parts = [];
    if (tokens) {
        parts.push(count(tokens, 'token'));
    }
    if (perSecond) {
        parts.push(`${perSecond.toFixed(perSecond < 100 ? 1 : 0)} tokens/s`);
    }
    if (prompt || cached) {
        const known = cached ? ` (${cached.toLocaleString()} cached)` : '';
        const time = promptMillis ? `, ${(promptMillis / 1000).toFixed(1)} s` : '';
        parts.push(`prompt ${(prompt + cached).toLocaleString()}${known}${time}`);
    }
    return parts.join(' · ');
}

/** Why an answer ended early; empty when it did not. */
function ending(message, running) {
    if (running || message.role !== 'assistant' || message.error) {
        return '';
    }
    return (
        { stop: '', tool_calls: '', length: 'Ended at the limit of tokens.', full: 'Ended: the context is full.' }[
            message.finish
        ] ?? 'Stopped.'
    );
}

export class Messages {
    /** @param actions what buttons do: `regenerate, proceed, edit, remove, turn`, each given a message */
    constructor(list, actions) {
        this.list = list;
        this.actions = actions;
        this.shown = new Map(); // id → parts of its element
        list.addEventListener('click', event => {
            const button = event.target.closest('.copy-code');
            if (button) {
                copy(button.closest('.code').querySelector('code').textContent);
            }
        });
    }

    /** Shows a path of a chat; `running` is the message that is being written, if any. */
    show(chat, path, running) {
        this.shown.clear();
        this.list.replaceChildren(...path.map(message => this.#build(chat, message, message === running)));
    }

    /** More of a message has come; `status` is what happens meanwhile. */
    update(message, status = '') {
        const parts = this.shown.get(message.id);
        if (!parts) {
            return;
        }
        if (message.reasoning) {
            parts.thought.hidden = false;
            parts.thoughtText.textContent = message.reasoning.trim();
        }
        if (message.role === 'user') {
            parts.body.textContent = message.content;
        } else {
            render(parts.body, message.content);
        }
        parts.status.textContent = status || (message.stats ? costs(message.stats) : '');
    }

    /** An answer is over: what it is stays where it is, with all that is selected there, and what can be done appears. */
    finish(chat, message) {
        if (this.shown.has(message.id)) {
            this.#dress(chat, message, false);
            this.update(message);
        }
    }

    #build(chat, message, running) {
        const name = el('h2', { class: 'hidden', id: 'm-' + message.id }, `${NAMES[message.role]}:`);
        const article = el('article', { 'aria-labelledby': name.id, 'data-id': message.id });
        const thoughtText = el('div', { class: 'thought-text' });
        const thought = el('details', { class: 'thought', hidden: true }, el('summary', {}, 'Thoughts'), thoughtText);
        const body = el('div', { class: 'body' });
        article.append(name, thought, body);
        this.shown.set(message.id, { article, name, thought, thoughtText, body });
        this.#dress(chat, message, running);
        this.update(message);
        return el('li', {}, article);
    }

    /** What stands under a message: how it ended, and what can be done with it. */
    #dress(chat, message, running) {
        const parts = this.shown.get(message.id);
        parts.article.className = `message ${message.role}${running ? ' running' : ''}`;
        parts.article.ariaBusy = running ? 'true' : null;
        while (parts.article.lastChild !== parts.body) {
            parts.article.lastChild.remove();
        }
        const end = ending(message, running);
        parts.status = el('span', { class: 'status' });
        parts.article.append(
            ...(end ? [el('p', { class: 'ending' }, end)] : []),
            ...(message.error ? [this.#problem(message)] : []),
            el('div', { class: 'foot' }, running ? null : this.#buttons(chat, message, Boolean(end)), parts.status),
        );
    }

    #problem(message) {
        return el(
            'div',
            { class: 'problem', role: 'alert' },
            el('span', {}, message.error),
            el('button', { type: 'button', onclick: () => this.actions.proceed(message) }, 'Try again'),
        );
    }

    #buttons(chat, message, early) {
        const { actions } = this;
        const own = message.role === 'user';
        const what = own ? 'your message' : 'the answer';
        const buttons = this.#turns(chat, message);
        if (message.content) {
            buttons.push(iconButton('copy', `Copy ${what}`, () => copy(message.content)));
        }
        if (!own) {
            buttons.push(
                iconButton('redo', 'Another answer', () => actions.regenerate(message), { 'data-act': 'regenerate' }),
            );
            if (early && message.content && message.finish !== 'full') {
                buttons.push(
                    iconButton('more', 'Go on with the answer', () => actions.proceed(message), {
                        'data-act': 'proceed',
                    }),
                );
            }
        }
        if (message.content) {
            buttons.push(iconButton('edit', `Edit ${what}`, () => actions.edit(message), { 'data-act': 'edit' }));
        }
        buttons.push(
            iconButton('trash', `Delete ${what} and what follows`, () => actions.remove(message), {
                'data-act': 'remove',
            }),
        );
        return el(
            'div',
            { class: 'actions', role: 'group', 'aria-label': own ? 'Your message' : 'Answer' },
            ...buttons,
        );
    }

    /** The way to what stands at the same place: edited messages and other answers. */
    #turns(chat, message) {
        const all = siblings(chat, message);
        if (all.length < 2) {
            return [];
        }
        const at = all.indexOf(message);
        const turn = (name, label, to) =>
            iconButton(name, label, () => this.actions.turn(all[to]), { disabled: !all[to], 'data-act': name });
        return [
            turn('left', 'The one before', at - 1),
            el('span', { class: 'turn' }, el('span', { class: 'hidden' }, 'Version '), `${at + 1}/${all.length}`),
            turn('right', 'The next one', at + 1),
        ];
    }

    /** Puts a field in a message's place; `done` gets the text, or null when nothing is to change. */
    edit(message, done) {
        const { article, name } = this.shown.get(message.id);
        const field = el('textarea', {
            'aria-label': message.role === 'user' ? 'Your message' : 'The answer',
            class: 'edit',
        });
        field.value = message.content;
        const fit = () => {
            field.style.height = 'auto';
            field.style.height = `${field.scrollHeight + 2}px`;
        };
        const finish = text => done(text?.trim() ? text : null);
        const save = el('button', { type: 'submit', class: 'primary' }, message.role === 'user' ? 'Send' : 'Keep');
        const form = el(
            'form',
            {
                class: 'editor',
                'aria-label': 'Edit',
                onsubmit: event => {
                    event.preventDefault();
                    finish(field.value);
                },
            },
            field,
            el('div', { class: 'row' }, el('button', { type: 'button', onclick: () => finish(null) }, 'Cancel'), save),
        );
        field.addEventListener('input', fit);
        field.addEventListener('keydown', event => {
            if (event.key === 'Escape') {
                event.stopPropagation();
                finish(null);
            } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && message.role === 'user') {
                event.preventDefault();
                finish(field.value);
            }
        });
        article.classList.add('editing');
        article.replaceChildren(name, form);
        fit();
        field.focus();
    }
}
