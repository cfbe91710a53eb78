// The page: the chat that is open, answers that are being written, and what buttons and keys do.

import { writeAnswer } from './answers.js';
import { Connection } from './connection.js';
import { $, copy, el, toast } from './dom.js';
import { Messages } from './messages.js';
import { follow, toEnd } from './scroll.js';
import { Settings } from './settings.js';
import { Sidebar, titleOf } from './sidebar.js';
import { setUpTools } from './tools.js';
import * as store from './store.js';

const IDEAS = [
    'Explain how a tern finds its way across the oceans',
    'Write a short poem about the first snow',
    'What is the difference between a list and a tuple in Python?',
    'Give me a plan for a quiet day by the sea',
];
const SAVE_EVERY = 2000; // ms
const lastUsedFirst = (a, b) => b.updated - a.updated;

const stored = store.settings.load();
const running = new Map(); // id of a chat → the answer that is being written in it: {message, controller}
let chats = store.loadChats();
let chat = null;

const sidebar = new Sidebar({ open: openChat, rename, remove: removeChat });
const messages = new Messages($('#messages'), { regenerate, proceed, edit, remove: removeMessage, turn });
const settings = new Settings(stored, {
    changed: () => guard(() => store.settings.save(stored)),
    chatChanged: system => {
        chat.system = system;
        save(chat);
    },
    keyChanged: () => connection.connect(),
});
const connection = new Connection({
    described: server => {
        prompt.placeholder = server.chat ? 'Write a message' : 'Write the beginning of a text';
        settings.describe(server);
        show();
    },
});

/** Says what the browser's storage will not do, and goes on. */
function guard(action) {
    try {
        return action();
    } catch (error) {
        if (!(error instanceof store.StoreError)) {
            throw error;
        }
        toast(error.message);
        return undefined;
    }
}

/** Keeps a chat, once there is something in it. */
function save(one) {
    if (Object.keys(one.messages).length || chats.includes(one)) {
        guard(() => store.saveChat(one));
    }
}

/**
 * Takes up what is stored of one chat, or of all. A chat that is being answered or edited here stays the object that it
 * is, for the answer goes into that one; the open chat is shown anew only where it is another now.
 */
function reload(id = null) {
    const fresh = id === null ? store.loadChats() : [store.loadChat(id)].filter(Boolean);
    const inUse = one => running.has(one.id) || (one === chat && $('#messages .editor'));
    const kept = chats.filter(one => inUse(one) || (id !== null && one.id !== id));
    chats = [...kept, ...fresh.filter(one => !kept.some(mine => mine.id === one.id))].sort(lastUsedFirst);
    const open = chats.find(one => one.id === chat.id) ?? chat;
    const other = open !== chat;
    chat = open;
    other ? show() : showAround();
}

// The chat that is open

function openChat(id) {
    chat = chats.find(one => one.id === id) ?? store.createChat(stored.system);
    const hash = chats.includes(chat) ? '#' + chat.id : '#';
    if ((location.hash || '#') !== hash) {
        history.pushState(null, '', hash);
    }
    show();
    toEnd();
    if (!sidebar.open) {
        $('#prompt').focus({ preventScroll: true });
    }
}

function show() {
    messages.show(chat, store.path(chat), running.get(chat.id)?.message);
    showAround();
}

/** Shows what stands around the messages. */
function showAround() {
    const path = store.path(chat);
    $('#welcome').hidden = path.length > 0;
    $('#title').textContent = titleOf(chat);
    document.title = path.length ? `${titleOf(chat)} · Tern` : 'Tern';
    $('#send').hidden = running.has(chat.id);
    $('#stop').hidden = !running.has(chat.id);
    const last = path.findLast(message => message.stats);
    const { prompt = 0, cached = 0, tokens = 0 } = last?.stats ?? {};
    $('#usage').textContent =
        last && connection.server
            ? `${(prompt + cached + tokens).toLocaleString()} of ${connection.server.contextLength.toLocaleString()} tokens`
            : '';
    sidebar.show(chats, chat.id, one => running.has(one.id));
}

function rename(one, title) {
    const now = chats.find(other => other.id === one.id); // another tab may have changed it meanwhile
    if (title !== null && now) {
        now.title = title;
        save(now);
    }
    showAround();
}

function removeChat(one) {
    running.get(one.id)?.controller.abort();
    store.deleteChat(one.id);
    chats = chats.filter(other => other !== one);
    one === chat ? openChat(null) : show();
    $('#new-chat').focus();
    toast('The chat is deleted.', () => {
        chats.unshift(one);
        save(one);
        openChat(one.id);
    });
}

// Messages

function send(text) {
    const first = !chats.includes(chat);
    const message = store.addMessage(chat, chat.leaf, 'user', text);
    if (first) {
        chats.unshift(chat);
        history.replaceState(null, '', '#' + chat.id);
    }
    run(store.addMessage(chat, message.id, 'assistant', ''));
}

/** Whether the model writes in the open chat, which is then said. */
function isBusy() {
    if (running.has(chat.id)) {
        toast('The model is answering. Esc stops it.');
    }
    return running.has(chat.id);
}

function regenerate(message) {
    if (!isBusy()) {
        run(store.addMessage(chat, message.parent, 'assistant', ''));
    }
}

/** Goes on with an answer that ended early, or asks again where it failed; what has come of it stays. */
function proceed(message) {
    if (!isBusy()) {
        run(message);
    }
}

function turn(message) {
    store.select(chat, message);
    save(chat);
    show();
    focusAction(message, 'left', 'right');
}

function edit(message) {
    const open = chat;
    messages.edit(message, text => {
        if (chat !== open) {
            return;
        }
        if (text === null || text === message.content) {
            show();
            focusAction(message, 'edit');
        } else if (message.role === 'user') {
            if (isBusy()) {
                return;
            }
            chat.leaf = store.addMessage(chat, message.parent, 'user', text).id;
            run(store.addMessage(chat, chat.leaf, 'assistant', ''));
        } else {
            message.content = text;
            save(chat);
            show();
            focusAction(message, 'edit');
        }
    });
}

function removeMessage(message) {
    const { id } = chat;
    running.get(id)?.controller.abort();
    const removed = store.removeMessage(chat, message);
    save(chat);
    show();
    $('#prompt').focus();
    toast('The message is deleted.', () => {
        const now = chats.find(one => one.id === id);
        if (!now || !store.restore(now, removed, !running.has(id))) {
            toast('What the message stood in is gone.');
            return;
        }
        save(now);
        now === chat ? show() : showAround();
    });
}

function focusAction(message, ...acts) {
    const buttons = acts.map(act => $(`[data-id="${message.id}"] [data-act="${act}"]:not([disabled])`));
    buttons.find(Boolean)?.focus();
}

// Answers

/** Has the model write a message, or go on with it. */
async function run(message) {
    const mine = chat;
    const controller = new AbortController();
    mine.updated = Date.now();
    chats.sort(lastUsedFirst);
    running.set(mine.id, { message, controller });
    save(mine);
    show();
    toEnd();
    $('#prompt').focus({ preventScroll: true });
    let saved = Date.now();
    let frame = 0;
    const changed = status => {
        frame ||= requestAnimationFrame(() => {
            frame = 0;
            if (mine === chat) {
                messages.update(message, status());
                follow();
            }
        });
        if (Date.now() - saved > SAVE_EVERY) {
            saved = Date.now();
            save(mine);
        }
    };
    const known = () => connection.known(controller.signal);
    const isOpen = () => chat.id === mine.id;
    const lost = await writeAnswer(known, isOpen, mine, message, settings.sampling, controller.signal, changed);
    cancelAnimationFrame(frame);
    running.delete(mine.id);
    if (mine.messages[message.id] && chats.includes(mine)) {
        save(mine);
    }
    if (mine === chat) {
        messages.finish(mine, message);
        follow();
    }
    showAround();
    if (lost) {
        connection.lose();
    }
}

// The message field

const prompt = $('#prompt');
const touch = matchMedia('(hover: none) and (pointer: coarse)');

function fit() {
    prompt.style.height = 'auto';
    prompt.style.height = `${prompt.scrollHeight}px`;
}

prompt.addEventListener('input', fit);
prompt.addEventListener('keydown', event => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && !touch.matches) {
        event.preventDefault();
        $('#composer').requestSubmit();
    } else if (event.key === 'ArrowUp' && !prompt.value) {
        const last = store.path(chat).findLast(message => message.role === 'user');
        if (last && !running.has(chat.id)) {
            event.preventDefault();
            edit(last);
        }
    }
});

$('#composer').addEventListener('submit', event => {
    event.preventDefault();
    const text = prompt.value.trim();
    if (text && !running.has(chat.id)) {
        prompt.value = '';
        fit();
        send(text);
    }
});

function stop() {
    running.get(chat.id)?.controller.abort();
}

// Buttons and keys

$('#stop').onclick = () => {
    stop();
    prompt.focus();
};
$('#new-chat').onclick = newChat;
$('#open-settings').onclick = () => settings.open(chat, connection.server);
$('#help').onclick = () => $('#shortcuts').showModal();
document.querySelectorAll('dialog').forEach(dialog => {
    dialog.querySelector('.close').onclick = () => dialog.close();
    dialog.addEventListener('click', event => event.target === dialog && dialog.close());
});
$('#ideas').append(
    ...IDEAS.map(idea => el('li', {}, el('button', { type: 'button', onclick: () => send(idea) }, idea))),
);

function newChat() {
    sidebar.toggle(false);
    openChat(null);
}

setUpTools(stored, {
    chats: () => chats,
    guard,
    imported: () => reload(),
});

const lastAnswer = () => store.path(chat).findLast(message => message.role === 'assistant');
const SHORTCUTS = {
    KeyN: newChat,
    KeyL: () => sidebar.focus(),
    KeyM: () => prompt.focus(),
    KeyR: () => lastAnswer() && regenerate(lastAnswer()),
    KeyC: () => lastAnswer() && copy(lastAnswer().content),
    KeyS: () => settings.open(chat, connection.server),
    KeyK: () => $('#shortcuts').showModal(),
};

addEventListener('keydown', event => {
    if (document.querySelector('dialog[open]')) {
        return;
    }
    const shortcut = event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey && SHORTCUTS[event.code];
    if (shortcut) {
        event.preventDefault();
        shortcut();
    } else if (event.key === 'Escape' && !event.isComposing) {
        sidebar.open ? sidebar.toggle(false) : stop();
    }
});

addEventListener('popstate', () => openChat(location.hash.slice(1)));
addEventListener('pagehide', () => running.forEach((_, id) => save(chats.find(one => one.id === id))));
store.onForeignChange(reload);

openChat(location.hash.slice(1));
if (!store.lasting) {
    toast('This browser keeps nothing for this page: chats last until it is closed. Export those that you want.');
}
connection.connect();
