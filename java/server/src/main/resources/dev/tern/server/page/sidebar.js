// The list of chats, and on a narrow screen the drawer that it is in.

import { $, el, iconButton } from './dom.js';

const narrow = matchMedia('(max-width: 760px)');

export class Sidebar {
    /** @param actions what is done with a chat: `open, rename, remove` */
    constructor(actions) {
        this.actions = actions;
        $('#open-sidebar').onclick = () => this.toggle(true);
        $('#close-sidebar').onclick = $('#shade').onclick = () => this.toggle(false);
        narrow.addEventListener('change', () => this.toggle(false));
        this.toggle(false);
    }

    get open() {
        return document.body.classList.contains('drawer');
    }

    /** Opens or closes the drawer. What is out of sight is out of reach too. */
    toggle(open) {
        const was = this.open;
        document.body.classList.toggle('drawer', open && narrow.matches);
        $('#sidebar').inert = narrow.matches && !open;
        $('#page').inert = narrow.matches && open;
        $('#open-sidebar').setAttribute('aria-expanded', String(this.open));
        if (this.open) {
            ($('#chats [aria-current]') ?? $('#new-chat')).focus();
        } else if (was) {
            $('#open-sidebar').focus();
        }
    }

    focus() {
        this.toggle(true);
        ($('#chats [aria-current]') ?? $('#new-chat')).focus();
    }

    show(chats, current, running) {
        const focused = document.activeElement?.closest('#chats [data-id]')?.dataset.id;
        const named = $('#chats input')?.closest('li'); // is left where it is: moving it would end what is typed there
        const items = chats.map(chat =>
            chat.id === named?.dataset.id ? named : this.#item(chat, chat.id === current, running(chat)),
        );
        const at = items.indexOf(named);
        if (at < 0) {
            $('#chats').replaceChildren(...items);
        } else {
            [...$('#chats').children].filter(item => item !== named).forEach(item => item.remove());
            named.before(...items.slice(0, at));
            named.after(...items.slice(at + 1));
        }
        if (focused && focused !== named?.dataset.id) {
            $(`#chats [data-id="${focused}"] button`)?.focus();
        }
    }

    #item(chat, current, running) {
        const title = titleOf(chat);
        const open = el(
            'button',
            {
                type: 'button',
                class: 'chat',
                'aria-current': current ? 'true' : null,
                title,
                onclick: () => {
                    this.actions.open(chat.id);
                    this.toggle(false);
                },
            },
            el('span', {}, title),
            running ? el('span', { class: 'dot' }, el('span', { class: 'hidden' }, ' is being answered')) : null,
        );
        return el(
            'li',
            { 'data-id': chat.id },
            open,
            iconButton('edit', `Rename ${title}`, () => this.#rename(chat)),
            iconButton('trash', `Delete ${title}`, () => this.actions.remove(chat)),
        );
    }

    #rename(chat) {
        const item = $(`#chats [data-id="${chat.id}"]`);
        const field = el('input', { type: 'text', 'aria-label': 'Name of the chat', maxlength: 200 });
        field.value = titleOf(chat);
        let over = false;
        const end = keep => {
            if (!over) {
                over = true;
                field.remove();
                this.actions.rename(chat, keep ? field.value.trim() : null);
                $(`#chats [data-id="${chat.id}"] button`)?.focus();
            }
        };
        field.addEventListener('keydown', event => {
            if ((event.key === 'Enter' && !event.isComposing) || event.key === 'Escape') {
                event.preventDefault();
                event.stopPropagation();
                end(event.key === 'Enter');
            }
        });
        field.addEventListener('blur', () => end(true));
        item.replaceChildren(field);
        field.select();
    }
}

/** A chat's name: as it was given, or how it begins. */
export function titleOf(chat) {
    const first = Object.values(chat.messages)[0]?.content.trim().replace(/\s+/g, ' ') ?? '';
    return chat.title || (first.length > 60 ? first.slice(0, 58).trimEnd() + '…' : first) || 'New chat';
}
