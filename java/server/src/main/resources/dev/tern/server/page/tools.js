// What is at the foot of the list of chats: files, and light or dark.

import { $, el, toast } from './dom.js';
import * as store from './store.js';

const THEMES = { auto: 'Colours as the system has them', light: 'Light colours', dark: 'Dark colours' };

/**
 * @param stored `{theme}`, which is changed
 * @param page the chats there are, `imported` to be called when there are more, and `guard`, which says what the
 *     storage will not do
 */
export function setUpTools(stored, { chats, imported, guard }) {
    $('#export').onclick = () => {
        const file = new Blob([store.exportChats(chats())], { type: 'application/json' });
        const name = `tern-chats-${new Date().toISOString().slice(0, 10)}.json`;
        const link = el('a', { download: name, href: URL.createObjectURL(file) });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    };
    $('#import').onclick = () => $('#file').click();
    $('#file').onchange = async () => {
        const text = await $('#file').files[0]?.text();
        $('#file').value = '';
        const added = text === undefined ? text : guard(() => store.importChats(text));
        if (added !== undefined) {
            imported();
            toast(added === 1 ? 'One chat has come.' : `${added} chats have come.`);
        }
    };
    $('#theme').onclick = () => {
        const names = Object.keys(THEMES);
        stored.theme = names[(names.indexOf(stored.theme) + 1) % names.length];
        show();
        guard(() => store.settings.save(stored));
        toast(THEMES[stored.theme]);
    };
    show();

    function show() {
        document.documentElement.dataset.theme = stored.theme;
        $('#theme').title = THEMES[stored.theme];
        $('#theme').setAttribute('aria-label', THEMES[stored.theme]);
    }
}
