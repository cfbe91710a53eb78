// Elements, and what the page says beside them.

export const $ = selector => document.querySelector(selector);

/** An element; attributes that are null or false are left out, `on…` are listeners. */
export function el(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (key.startsWith('on')) {
            made.addEventListener(key.slice(2), value);
        } else if (value !== null && value !== false) {
            made.setAttribute(key, value === true ? '' : value);
        }
    }
    made.append(...children.filter(child => child !== null));
    return made;
}

/** A drawing of the page's sheet of symbols; it says nothing to screen readers. */
export function icon(name) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    use.setAttribute('href', '#i-' + name);
    svg.setAttribute('aria-hidden', 'true');
    svg.append(use);
    return svg;
}

/** A button that is a drawing, with its name. */
export function iconButton(name, label, onclick, attributes = {}) {
    return el(
        'button',
        { type: 'button', class: 'icon', 'aria-label': label, title: label, onclick, ...attributes },
        icon(name),
    );
}

/** Has screen readers say a text when they have said what is before it. */
export function announce(text) {
    const log = $('#announcer');
    log.append(el('p', {}, text));
    while (log.children.length > 20) {
        log.firstChild.remove();
    }
}

let timer;

/** A short word at the foot of the page, with a way back where there is one. */
export function toast(text, undo = null) {
    clearTimeout(timer);
    const hide = () => $('#toast').replaceChildren();
    const back =
        undo &&
        el(
            'button',
            {
                type: 'button',
                onclick: () => {
                    hide();
                    undo();
                },
            },
            'Undo',
        );
    $('#toast').replaceChildren(el('div', {}, text, back));
    timer = setTimeout(hide, undo ? 10_000 : 4_000);
}

/** Copies a text, also where the page is not of a secure origin and has no clipboard. */
export async function copy(text) {
    try {
        await navigator.clipboard.writeText(text);
    } catch {
        const focused = document.activeElement;
        const field = el('textarea', { class: 'hidden', 'aria-hidden': 'true' });
        field.value = text;
        (document.querySelector('dialog[open]') ?? document.body).append(field);
        field.select();
        const done = document.execCommand('copy');
        field.remove();
        focused?.focus();
        if (!done) {
            toast('This browser does not let the page copy.');
            return;
        }
    }
    toast('Copied');
}

export const count = (number, one, many = one + 's') => `${number.toLocaleString()} ${number === 1 ? one : many}`;
