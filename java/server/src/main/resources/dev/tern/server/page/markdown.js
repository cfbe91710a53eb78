// Markdown of a model's answer, as elements. Text becomes text nodes and nothing else: there is no way from what a
// model writes to markup, to an address other than http, https and mailto, or to a request (images become links).

import { highlight } from './highlight.js';

const FENCE = /^( {0,3})(?:(`{3,})(?!`)([^`]*)|(~{3,})(?!~)(.*))$/s; // indent, marks and what is said behind them
const HEADING = /^ {0,3}(#{1,6})(?:\s+(\S.*)?)?$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}>/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(\s+|$)/;
const DELIMITERS = /^\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?$/; // of a trimmed line
const DEEPEST = 12;
// More than this, at once, is shown as plain text: characters of a text with marks, of a block, and cells of a table.
const LONGEST_TEXT = 20_000;
const LONGEST_BLOCK = 200_000;
const MOST_CELLS = 20_000;

/** Shows a text that grows: blocks that have not changed keep their elements, and with them what is selected there. */
export function render(container, text) {
    const blocks = split(text.replace(/\r\n?/g, '\n').split('\n'));
    blocks.forEach((block, at) => {
        const source = JSON.stringify(block);
        const old = container.children[at];
        if (old?.markdownSource !== source) {
            const element = build(block, 0);
            element.markdownSource = source;
            old ? old.replaceWith(element) : container.append(element);
        }
    });
    while (container.children.length > blocks.length) {
        container.lastChild.remove();
    }
}

// Blocks

function split(lines) {
    const blocks = [];
    let at = 0;
    while (at < lines.length) {
        const line = lines[at];
        const fence = FENCE.exec(line);
        const heading = HEADING.exec(line);
        const item = ITEM.exec(line);
        let end = at + 1;
        if (!line.trim()) {
            at++;
            continue;
        } else if (fence) {
            const marks = fence[2] ?? fence[4];
            const close = new RegExp(`^ {0,3}${marks[0]}{${marks.length},}\\s*$`);
            while (end < lines.length && !close.test(lines[end])) {
                end++;
            }
            const indent = new RegExp(`^ {0,${fence[1].length}}`);
            const code = lines
                .slice(at + 1, end)
                .map(one => one.replace(indent, ''))
                .join('\n');
            const [language] = (fence[3] ?? fence[5]).trim().split(/\s/, 1);
            blocks.push({ type: 'code', language, code });
            end++;
        } else if (heading) {
            blocks.push({
                type: 'heading',
                level: heading[1].length,
                text: (heading[2] ?? '').trimEnd().replace(/(^|\s)#+$/, ''),
            });
        } else if (RULE.test(line)) {
            blocks.push({ type: 'rule' });
        } else if (QUOTE.test(line)) {
            while (end < lines.length && lines[end].trim() && (QUOTE.test(lines[end]) || !interrupts(lines, end))) {
                end++;
            }
            blocks.push({ type: 'quote', lines: lines.slice(at, end).map(one => one.replace(/^ {0,3}> ?/, '')) });
        } else if (item) {
            end = endOfList(lines, at, item);
            blocks.push(list(lines.slice(at, end), item));
        } else if (isTable(lines, at)) {
            end = at + 2;
            while (end < lines.length && lines[end].trim() && lines[end].includes('|')) {
                end++;
            }
            blocks.push({ type: 'table', lines: lines.slice(at, end) });
        } else {
            while (end < lines.length && lines[end].trim() && !interrupts(lines, end)) {
                end++;
            }
            blocks.push({
                type: 'paragraph',
                text: lines
                    .slice(at, end)
                    .map(one => one.trim())
                    .join('\n'),
            });
        }
        if (blocks.at(-1).type !== 'code' && isLarge(lines, at, end)) {
            blocks[blocks.length - 1] = { type: 'plain', text: lines.slice(at, end).join('\n') };
        }
        at = end;
    }
    return blocks;
}

function isLarge(lines, from, to) {
    let length = 0;
    for (let at = from; at < to; at++) {
        length += lines[at].length + 1;
    }
    return length > LONGEST_BLOCK;
}

/** Whether a line begins something else than more of a paragraph. */
function interrupts(lines, at) {
    const line = lines[at];
    return (
        FENCE.test(line) ||
        /^ {0,3}#{1,6}\s/.test(line) ||
        RULE.test(line) ||
        QUOTE.test(line) ||
        /^ {0,3}([-*+]|1[.)])\s+\S/.test(line) ||
        isTable(lines, at)
    );
}

function isTable(lines, at) {
    return (
        lines[at].includes('|') &&
        at + 1 < lines.length &&
        lines[at + 1].includes('-') &&
        DELIMITERS.test(lines[at + 1].trim()) &&
        cells(lines[at]).length === cells(lines[at + 1]).length
    );
}

const ordered = item => /\d/.test(item[2]);

/** A list goes on over blank lines where an item or an indented line follows. */
function endOfList(lines, at, first) {
    const base = first[1].length;
    let end = at + 1;
    while (end < lines.length) {
        const line = lines[end];
        const indent = line.search(/\S/);
        const item = ITEM.exec(line);
        const sibling = item && !RULE.test(line) && item[1].length < base + 2;
        if (indent < 0) {
            let next = end + 1;
            while (next < lines.length && !lines[next].trim()) {
                next++;
            }
            const more =
                next < lines.length &&
                (lines[next].search(/\S/) >= base + 2 || sameKind(ITEM.exec(lines[next]), first));
            if (!more) {
                return end;
            }
            end = next;
            continue;
        } else if (
            sibling ? !sameKind(item, first) : indent < base + 2 && (!lines[end - 1].trim() || interrupts(lines, end))
        ) {
            return end;
        }
        end++;
    }
    return end;
}

function sameKind(item, first) {
    return (
        Boolean(item) &&
        item[1].length < first[1].length + 2 &&
        ordered(item) === ordered(first) &&
        item[2].at(-1) === first[2].at(-1)
    );
}

function list(lines, first) {
    const items = [];
    for (const line of lines) {
        const item = ITEM.exec(line);
        if (item && !RULE.test(line) && item[1].length < first[1].length + 2) {
            items.push([line.slice(item[0].length)]);
            items.at(-1).indent = Math.min(item[0].length, item[1].length + item[2].length + 4) || 2;
        } else {
            const inner = items.at(-1);
            inner.push(line.slice(Math.min(Math.max(line.search(/\S/), 0), inner.indent)));
        }
    }
    const loose =
        items.some(item => {
            const last = item.findLastIndex(line => line.trim());
            return item.some((line, at) => at < last && !line.trim());
        }) ||
        lines.some((line, at) => !line.trim() && ITEM.test(lines[at + 1] ?? ''));
    return { type: 'list', start: ordered(first) ? parseInt(first[2], 10) : null, loose, items };
}

function cells(line) {
    const found = [''];
    let code = false;
    for (const part of line
        .trim()
        .replace(/^\|/, '')
        .replace(/\|$/, '')
        .split(/(\\\||`|\|)/)) {
        code = part === '`' ? !code : code;
        if (part === '|' && !code) {
            found.push('');
        } else {
            found[found.length - 1] += part === '\\|' ? '|' : part;
        }
    }
    return found.map(cell => cell.trim());
}

// Elements

function element(name, attributes, ...children) {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...children);
    return made;
}

function build(block, depth) {
    switch (block.type) {
        case 'heading': // below those of the page
            return element('h' + Math.min(block.level + 2, 6), {}, ...inline(block.text));
        case 'rule':
            return element('hr', {});
        case 'code':
            return codeBlock(block);
        case 'quote':
            return element('blockquote', {}, ...nested(block.lines, depth));
        case 'plain':
            return element('p', { class: 'plain' }, block.text);
        case 'table':
            return cells(block.lines[1]).length * block.lines.length > MOST_CELLS
                ? element('p', { class: 'plain' }, block.lines.join('\n'))
                : table(block.lines);
        case 'list': {
            const items = block.items.map(lines => listItem(lines, block.loose, depth));
            return block.start === null
                ? element('ul', {}, ...items)
                : element('ol', block.start === 1 ? {} : { start: block.start }, ...items);
        }
        default:
            return block.text.length > LONGEST_TEXT
                ? element('p', { class: 'plain' }, block.text)
                : element('p', {}, ...inline(block.text));
    }
}

function nested(lines, depth) {
    return depth < DEEPEST ? split(lines).map(block => build(block, depth + 1)) : [lines.join('\n')];
}

function listItem(lines, loose, depth) {
    const task = /^\[([ xX])\]\s+/.exec(lines[0]);
    const rest = task ? [lines[0].slice(task[0].length), ...lines.slice(1)] : lines;
    let children = nested(rest, depth);
    if (!loose) {
        children = children.flatMap(child => (child.nodeName === 'P' ? [...child.childNodes] : [child]));
    }
    const item = element('li', {}, ...children);
    if (task) {
        item.className = 'task';
        item.prepend(
            element(
                'span',
                { role: 'img', 'aria-label': task[1] === ' ' ? 'to do' : 'done' },
                task[1] === ' ' ? '☐' : '☑',
            ),
        );
    }
    return item;
}

function table(lines) {
    const alignments = cells(lines[1]).map(cell =>
        cell.endsWith(':') ? (cell.startsWith(':') ? 'center' : 'right') : 'left',
    );
    const row = (line, name) => {
        const texts = cells(line);
        return element(
            'tr',
            {},
            ...alignments.map((alignment, at) =>
                element(
                    name,
                    { class: alignment, ...(name === 'th' ? { scope: 'col' } : {}) },
                    ...inline(texts[at] ?? ''),
                ),
            ),
        );
    };
    const body = lines.slice(2).map(line => row(line, 'td'));
    const whole = element('table', {}, element('thead', {}, row(lines[0], 'th')), element('tbody', {}, ...body));
    return element('div', { class: 'table', tabindex: 0, role: 'region', 'aria-label': 'Table' }, whole);
}

function codeBlock({ language, code }) {
    const name = language.slice(0, 30);
    const copy = element('button', { type: 'button', class: 'copy-code' }, 'Copy');
    copy.setAttribute('aria-label', name ? `Copy the ${name} code` : 'Copy the code');
    const pre = element(
        'pre',
        { tabindex: 0, 'aria-label': name ? `${name} code` : 'Code' },
        element('code', {}, ...highlight(code, name)),
    );
    pre.setAttribute('role', 'region');
    return element(
        'div',
        { class: 'code' },
        element('div', { class: 'code-head' }, element('span', {}, name || 'code'), copy),
        pre,
    );
}

// Inside a block

// What stands out inside a block; the groups are numbered beside. All that repeats between a beginning and its end is
// bounded, and a text of many beginnings without ends thus takes a time that grows as its length does.
const INLINE = new RegExp(
    [
        /\\([!-/:-@[-`{-~])/, // 1 escaped
        /(`{1,16})(?!`)([^`]|[^`][\s\S]{0,1000}?[^`])\2(?!`)/, // 2, 3 code
        /!?\[((?:\\.|\[[^\]]{0,500}\]|[^[\]\\]){0,500})\]/.source + // 4, 5 link: its text,
            /\(\s{0,9}<?([^\s()<>]{0,2000}(?:\([^\s()]{0,500}\)[^\s()<>]{0,500}){0,9})>?/.source + // its address
            /(?:\s{1,9}(?:"[^"]{0,500}"|'[^']{0,500}'))?\s{0,9}\)/.source, // and perhaps a title
        /<((?:https?:\/\/|mailto:)[^\s<>]+)>/, // 6 address
        /(https?:\/\/[^\s<>"'`*]*[^\s<>"'`*.,:;!?)\]}])/, // 7 bare address
        /(\*\*|__)(?=\S)([\s\S]{0,800}?\S)\8(?![\w*])/, // 8, 9 strong
        /(\*)(?=[^\s*])((?:[^*]|\*\*[^*]{1,800}\*\*){0,800}?[^\s*])\*(?!\*)/, // 10, 11 emphasis
        /(?<!\w)(_)(?=[^\s_])([\s\S]{0,800}?[^\s_])_(?!\w)/, // 12, 13 emphasis
        /~~(?=\S)([\s\S]{0,800}?\S)~~/, // 14 struck out
        /(\n)/, // 15 line end
    ]
        .map(one => one.source ?? one)
        .join('|'),
    'g',
);

/** Code without line ends, and without the space at each side that keeps it apart from its marks. */
function codeText(source) {
    const line = source.replace(/\n/g, ' ');
    return line.trim() && line.startsWith(' ') && line.endsWith(' ') ? line.slice(1, -1) : line;
}

/** Nodes of a text. */
function inline(text, depth = 0, linked = false) {
    if (depth > DEEPEST || text.length > LONGEST_TEXT) {
        return [text];
    }
    const nodes = [];
    let last = 0;
    const inner = part => inline(part, depth + 1, linked);
    const link = (address, label, source) => (linked ? source : anchor(address, label, source, depth));
    for (const m of text.matchAll(INLINE)) {
        const node =
            m[1] ??
            (m[3] !== undefined
                ? element('code', {}, codeText(m[3]))
                : m[5] !== undefined
                  ? link(m[5], m[4] || m[5], m[0])
                  : (m[6] ?? m[7])
                    ? link(m[6] ?? m[7], null, m[0])
                    : m[9]
                      ? element('strong', {}, ...inner(m[9]))
                      : (m[11] ?? m[13])
                        ? element('em', {}, ...inner(m[11] ?? m[13]))
                        : m[14]
                          ? element('del', {}, ...inner(m[14]))
                          : element('br', {}));
        nodes.push(text.slice(last, m.index), node);
        last = m.index + m[0].length;
    }
    nodes.push(text.slice(last));
    return nodes.filter(node => node !== '');
}

/** A link, where its address is of a kind that does no harm; else what was written. */
function anchor(address, label, source, depth) {
    let url;
    try {
        url = new URL(address);
    } catch {
        return source;
    }
    const children = label === null ? [address] : inline(label, depth + 1, true);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol)
        ? element('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, ...children)
        : source;
}
