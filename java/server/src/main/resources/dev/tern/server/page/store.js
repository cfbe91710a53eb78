// Chats and settings, kept in this browser. A chat is a tree of messages: an edited question or another answer stands
// beside the first one, under the same parent, and `leaf` says which branch is shown.

const CHAT = 'tern.chat.';
const SETTINGS = 'tern.settings';
const ROLES = ['user', 'assistant'];
const ID = /^[a-z0-9]{1,64}$/;

export class StoreError extends Error {}

/** Stands in for a storage of the browser, as long as the page is open. */
class Memory {
    #values = new Map();

    get length() {
        return this.#values.size;
    }

    key(at) {
        return [...this.#values.keys()][at] ?? null;
    }

    getItem(key) {
        return this.#values.get(key) ?? null;
    }

    setItem(key, value) {
        this.#values.set(key, value);
    }

    removeItem(key) {
        this.#values.delete(key);
    }
}

/** A storage of the browser; where users or their settings block it, even naming it throws a SecurityError. */
function open(name) {
    try {
        return window[name] ?? new Memory();
    } catch {
        return new Memory();
    }
}

const local = open('localStorage');

/** What lasts as long as the tab. */
export const session = open('sessionStorage');

/** Whether this browser lets the page keep chats. */
export const lasting = !(local instanceof Memory);

export const newId = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(9)), b => b.toString(36).padStart(2, '0')).join('');

function put(key, value) {
    try {
        local.setItem(key, JSON.stringify(value));
    } catch {
        throw new StoreError(
            'This browser keeps no more: its storage for this page is full or turned off. Export your chats and' +
                ' delete some.',
        );
    }
}

function get(key) {
    try {
        return JSON.parse(local.getItem(key));
    } catch {
        return null; // not ours, or damaged
    }
}

export const settings = {
    load: () => ({ sampling: {}, system: '', theme: 'auto', ...get(SETTINGS) }),
    save: value => put(SETTINGS, value),
};

export const createChat = system => ({
    id: newId(),
    title: '',
    system,
    created: Date.now(),
    updated: Date.now(),
    leaf: null,
    messages: {},
});

/** All chats, the last used first. */
export function loadChats() {
    return Array.from({ length: local.length }, (_, at) => local.key(at))
        .filter(key => key.startsWith(CHAT))
        .map(key => readChat(get(key)))
        .filter(Boolean)
        .sort((a, b) => b.updated - a.updated);
}

export const loadChat = id => readChat(get(CHAT + id));
export const saveChat = chat => put(CHAT + chat.id, chat);
export const deleteChat = id => local.removeItem(CHAT + id);

/** Calls back when another tab has changed a chat, with its id, or with null when all are gone. */
export function onForeignChange(callback) {
    addEventListener('storage', event => {
        if (event.key === null || event.key.startsWith(CHAT)) {
            callback(event.key && event.key.slice(CHAT.length));
        }
    });
}

// The tree

/** The messages from the first to the leaf. */
export function path(chat, leaf = chat.leaf) {
    const found = [];
    for (let id = leaf; id; id = chat.messages[id].parent) {
        found.unshift(chat.messages[id]);
    }
    return found;
}

/** Messages that stand at the same place, oldest first. */
export function siblings(chat, message) {
    return Object.values(chat.messages).filter(other => other.parent === message.parent);
}

export function addMessage(chat, parent, role, content) {
    const message = { id: newId(), parent, role, content };
    chat.messages[message.id] = message;
    chat.leaf = message.id;
    chat.updated = Date.now();
    return message;
}

/** Shows a message and what was last written under it. */
export function select(chat, message) {
    let leaf = message;
    for (
        let next = leaf;
        next;
        next = Object.values(chat.messages)
            .filter(other => other.parent === leaf.id)
            .at(-1)
    ) {
        leaf = next;
    }
    chat.leaf = leaf.id;
}

/**
 * Removes a message and all under it; what stood beside it is shown, or its parent. Returns what `restore` wants:
 * `{messages, order, leaf}`, of which `order` has the ids of all messages before.
 */
export function removeMessage(chat, message) {
    const { leaf } = chat;
    const order = Object.keys(chat.messages);
    const others = siblings(chat, message).filter(other => other !== message);
    const gone = new Set([message.id]);
    for (const other of Object.values(chat.messages)) {
        // children come after their parents
        if (gone.has(other.parent)) {
            gone.add(other.id);
        }
    }
    const messages = [...gone].map(id => chat.messages[id]);
    gone.forEach(id => delete chat.messages[id]);
    chat.updated = Date.now();
    if (others.length) {
        select(chat, others.at(-1));
    } else {
        chat.leaf = message.parent;
    }
    return { messages, order, leaf };
}

/**
 * Brings removed messages back to their place, beside all that has come since; `shown` says whether what was shown then
 * is shown again. Returns false, and changes nothing, where the message that they followed is gone.
 */
export function restore(chat, { messages, order, leaf }, shown) {
    const { parent } = messages[0];
    if (parent !== null && !Object.hasOwn(chat.messages, parent)) {
        return false;
    }
    const all = { ...chat.messages, ...Object.fromEntries(messages.map(one => [one.id, one])) };
    const ids = new Set([...order.filter(id => Object.hasOwn(all, id)), ...Object.keys(all)]);
    chat.messages = Object.fromEntries([...ids].map(id => [id, all[id]]));
    if (shown && Object.hasOwn(all, leaf)) {
        chat.leaf = leaf;
    }
    chat.updated = Date.now();
    return true;
}

// Files

export function exportChats(chats) {
    return JSON.stringify({ format: 'tern-chats', version: 1, chats }, null, 1);
}

/** Adds the chats of a file; one that is here already stays beside its other self. Returns how many came. */
export function importChats(text) {
    let file;
    try {
        file = JSON.parse(text);
    } catch {
        throw new StoreError('This file is not JSON.');
    }
    const chats = file?.format === 'tern-chats' && Array.isArray(file.chats) ? file.chats.map(readChat) : [];
    if (!chats.length || chats.includes(null)) {
        throw new StoreError('This file holds no chats that were exported here.');
    }
    let added = 0;
    for (const chat of chats) {
        const mine = loadChat(chat.id);
        if (JSON.stringify(mine) === JSON.stringify(chat)) {
            continue;
        }
        saveChat(mine ? { ...chat, id: newId() } : chat);
        added++;
    }
    return added;
}

const text = value => (typeof value === 'string' ? value : '');
const number = value => (Number.isFinite(value) ? value : 0);

/** A chat of which every part is what it must be, whoever wrote it; null when it is none. */
function readChat(value) {
    if (typeof value?.id !== 'string' || !ID.test(value.id) || typeof value.messages !== 'object') {
        return null;
    }
    const messages = {};
    for (const one of Object.values(value.messages ?? {})) {
        const known =
            one &&
            ROLES.includes(one.role) &&
            typeof one.content === 'string' &&
            ID.test(one.id) &&
            (one.parent === null || Object.hasOwn(messages, one.parent));
        if (!known) {
            return null;
        }
        messages[one.id] = { id: one.id, parent: one.parent, role: one.role, content: one.content };
        for (const field of ['reasoning', 'model', 'finish', 'error']) {
            if (text(one[field])) {
                messages[one.id][field] = one[field];
            }
        }
        if (one.stats && typeof one.stats === 'object') {
            const { tokens, perSecond, prompt, cached, promptMillis } = one.stats;
            messages[one.id].stats = {
                tokens: number(tokens),
                perSecond: number(perSecond),
                prompt: number(prompt),
                cached: number(cached),
                promptMillis: number(promptMillis),
            };
        }
    }
    const leaf = Object.hasOwn(messages, value.leaf) ? value.leaf : (Object.keys(messages).at(-1) ?? null);
    return {
        id: value.id,
        title: text(value.title),
        system: text(value.system),
        created: number(value.created),
        updated: number(value.updated),
        leaf,
        messages,
    };
}
