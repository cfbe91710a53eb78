// The view follows the end of the messages while the user is there.

import { $ } from './dom.js';

const NEAR = 48; // px
const view = $('#scroll');
let following = true;

export function toEnd() {
    following = true;
    view.scrollTop = $('#welcome').hidden ? view.scrollHeight : 0;
}

export function follow() {
    if (following) {
        toEnd();
    }
}

view.addEventListener(
    'scroll',
    () => {
        following = view.scrollHeight - view.scrollTop - view.clientHeight < NEAR;
        $('#to-end').hidden = following || !$('#welcome').hidden;
    },
    { passive: true },
);
new ResizeObserver(follow).observe(view);
$('#to-end').onclick = toEnd;
