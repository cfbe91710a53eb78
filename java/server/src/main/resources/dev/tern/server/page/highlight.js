// Colours of code: comments, strings, numbers and keywords, told apart by what most languages have in common.

const words = list => new Set(list.trim().split(/\s+/));

const LONGEST = 30_000; // characters; more stays plain
const HASH = words(`
  py python rb ruby sh bash zsh shell fish yaml yml toml ini conf perl pl r julia jl make makefile dockerfile
  cmake elixir nix
`);
const DASHES = /^(sql|lua|haskell|hs|ada|vhdl|elm)$/;
const MARKUP = /^(html?|xml|svg|vue|xhtml)$/;
const NONE = /^(|text|txt|plain|plaintext|markdown|md|console|output|diff|csv|log)$/;
const PARTS = {
    slashes: /\/\/.*|\/\*[\s\S]*?(?:\*\/|$)/,
    hash: /#.*/,
    dashes: /--.*|\/\*[\s\S]*?(?:\*\/|$)/,
    markup: /<!--[\s\S]*?(?:-->|$)/,
    block: /"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|`(?:\\[\s\S]|[^`\\])*`?/,
    string: /"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n]){0,500}'/,
    number: /\b(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\w?\b/,
    word: /[A-Za-z_$][\w$]*/,
};
const KEYWORDS = words(`
  abstract and as assert async await boolean break byte case catch char class const constexpr continue def
  default defer del delete do double elif else end enum except explicit export extends extern false final
  finally float fn for from func function global go goto if impl implements import in instanceof int interface
  is lambda let local long loop match module mut namespace new nil None nonlocal not null of operator or
  override package pass private protected pub public raise record return sealed self short signed sizeof static
  struct super switch synchronized template then this throw throws trait true True False try type typedef
  typename typeof union unsafe unsigned use using val var virtual void volatile when where while with yield echo
  fi done esac
`);
const SQL = words(`
  select from where and or not insert into values update set delete create table alter drop index view join left
  right inner outer full on as group by order having limit offset union all distinct case when then else end
  null is in like between exists primary key foreign references default with
`);

function grammar(language) {
    const comment = MARKUP.test(language)
        ? 'markup'
        : HASH.has(language)
          ? 'hash'
          : DASHES.test(language)
            ? 'dashes'
            : 'slashes';
    return new RegExp(
        `(${PARTS[comment].source})|(${PARTS.block.source}|${PARTS.string.source})|(${PARTS.number.source})|(${
            comment === 'markup' ? '</?[\\w:-]+|/?>' : PARTS.word.source
        })`,
        'g',
    );
}

/** Nodes of code: texts, and spans of the classes `comment`, `string`, `number` and `keyword`. */
export function highlight(code, name) {
    const language = name.toLowerCase();
    if (NONE.test(language) || code.length > LONGEST) {
        return [code];
    }
    const nodes = [];
    let plain = 0;
    for (const found of code.matchAll(grammar(language))) {
        const kind = kindOf(found, language);
        if (kind) {
            const span = document.createElement('span');
            span.className = kind;
            span.textContent = found[0];
            nodes.push(code.slice(plain, found.index), span);
            plain = found.index + found[0].length;
        }
    }
    nodes.push(code.slice(plain));
    return nodes.filter(node => node !== '');
}

function kindOf([, comment, string, number, word], language) {
    if (!word) {
        return comment ? 'comment' : string ? 'string' : number ? 'number' : '';
    }
    const known = MARKUP.test(language) || (language === 'sql' ? SQL.has(word.toLowerCase()) : KEYWORDS.has(word));
    return known ? 'keyword' : '';
}
