/**
 * The inline part of Markdown: code, bold, italic, strikethrough, links. Anything else, HTML above all, is text.
 * Every scan is bounded or happens once per mark, so that hostile text cannot make it slow.
 */

/** @typedef {string | {tag: "strong" | "em" | "del", children: Inline[]} | {tag: "code", text: string} | {tag: "a", href: string, children: Inline[]}} Inline */

const EMPHASIS = /** @type {const} */ ([
  ["**", "strong"],
  ["__", "strong"],
  ["~~", "del"],
  ["*", "em"],
  ["_", "em"],
]);
const SPECIAL = /[\\`*_~[h]/g;
const MAX_DEPTH = 4;
const MAX_LABEL_CHARACTERS = 500;
const MAX_ADDRESS_CHARACTERS = 2_000;

/**
 * @param {string} text
 * @param {boolean} [isOpen] More text is still to come: bold and code that are not closed yet end where the text ends.
 * @returns {Inline[]}
 */
export function parseInline(text, isOpen = false) {
  return new Scanner(text, isOpen, 0).scan();
}

class Scanner {
  /** Marks without an end after this point. @type {Set<string>} */
  #endless = new Set();
  /** @type {Inline[]} */
  #nodes = [];
  #plain = "";

  /** @param {string} text @param {boolean} isOpen @param {number} depth */
  constructor(text, isOpen, depth) {
    this.text = text;
    this.isOpen = isOpen;
    this.depth = depth;
  }

  scan() {
    let at = 0;
    while (at < this.text.length) {
      SPECIAL.lastIndex = at;
      const next = SPECIAL.exec(this.text)?.index ?? this.text.length;
      this.#plain += this.text.slice(at, next);
      if (next === this.text.length) break;
      at =
        this.#escape(next) ??
        this.#code(next) ??
        this.#link(next) ??
        this.#address(next) ??
        this.#emphasis(next) ??
        this.#literal(next);
    }
    this.#flush();
    return this.#nodes;
  }

  /** @param {number} at */
  #literal(at) {
    this.#plain += this.text[at];
    return at + 1;
  }

  /** @param {number} at */
  #escape(at) {
    if (this.text[at] !== "\\" || !/[!-/:-@[-`{-~]/.test(this.text[at + 1] ?? "")) return undefined;
    this.#plain += this.text[at + 1];
    return at + 2;
  }

  /** @param {number} at */
  #code(at) {
    if (this.text[at] !== "`") return undefined;
    let begin = at;
    while (this.text[begin] === "`") begin++;
    const end = this.#find(this.text.slice(at, begin), begin);
    if (end === -1) return this.#runOfMarks(at, begin);
    this.#push({ tag: "code", text: this.text.slice(begin, end).replace(/^ (.*\S.*) $/, "$1") });
    return end + (begin - at);
  }

  /** A link in brackets. @param {number} at */
  #link(at) {
    if (this.text[at] !== "[") return undefined;
    const middle = this.text.slice(at, at + MAX_LABEL_CHARACTERS).indexOf("](");
    if (middle < 1) return undefined;
    const begin = at + middle + 2;
    const length = this.text.slice(begin, begin + MAX_ADDRESS_CHARACTERS).search(/[\s)]/);
    if (length === -1 || this.text[begin + length] !== ")") return undefined;
    const href = safeAddress(this.text.slice(begin, begin + length));
    if (href === null) return undefined;
    this.#push({ tag: "a", href, children: this.#inner(this.text.slice(at + 1, at + middle), false) });
    return begin + length + 1;
  }

  /** A bare address. @param {number} at */
  #address(at) {
    if (this.text[at] !== "h" || /\w/.test(this.text[at - 1] ?? "")) return undefined;
    const [found] = /^https?:\/\/[^\s<>"'`*\]]+/.exec(this.text.slice(at, at + MAX_ADDRESS_CHARACTERS)) ?? [];
    const address = found?.replace(/[.,;:!?)]+$/, "");
    const href = address ? safeAddress(address) : null;
    if (!address || href === null) return undefined;
    this.#push({ tag: "a", href, children: [address] });
    return at + address.length;
  }

  /** @param {number} at */
  #emphasis(at) {
    for (const [mark, tag] of EMPHASIS) {
      if (!this.text.startsWith(mark, at)) continue;
      const begin = at + mark.length;
      if (this.depth >= MAX_DEPTH || !this.#canOpen(mark, at)) return this.#runOfMarks(at, begin);
      const end = this.#findClosing(mark, begin);
      if (end === -1 && !(this.isOpen && mark === "**")) return this.#runOfMarks(at, begin);
      const inner = this.text.slice(begin, end === -1 ? undefined : end);
      this.#push({ tag, children: this.#inner(inner, end === -1) });
      return end === -1 ? this.text.length : end + mark.length;
    }
    return undefined;
  }

  /** An opening mark stands before text, and an underscore not inside a word. @param {string} mark @param {number} at */
  #canOpen(mark, at) {
    return (
      /\S/.test(this.text[at + mark.length] ?? "") && !(mark.startsWith("_") && /\w/.test(this.text[at - 1] ?? ""))
    );
  }

  /** @param {string} mark @param {number} from */
  #findClosing(mark, from) {
    let end = this.#find(mark, from + 1);
    while (end !== -1 && !this.#canClose(mark, end))
      end = this.#find(mark, end + (mark.length === 1 && this.text[end + 1] === mark ? 2 : 1));
    return end;
  }

  /** @param {string} mark @param {number} at */
  #canClose(mark, at) {
    const [before, after] = [this.text[at - 1], this.text[at + mark.length] ?? ""];
    if (/\s/.test(before)) return false;
    if (mark.length === 1 && after === mark) return false;
    return !(mark.startsWith("_") && /\w/.test(after));
  }

  /** @param {string} mark @param {number} from */
  #find(mark, from) {
    if (this.#endless.has(mark)) return -1;
    const found = this.text.indexOf(mark, from);
    if (found === -1) this.#endless.add(mark);
    return found;
  }

  /** Marks that mark nothing are text. @param {number} from @param {number} to */
  #runOfMarks(from, to) {
    this.#plain += this.text.slice(from, to);
    return to;
  }

  /** @param {string} text @param {boolean} isOpen @returns {Inline[]} */
  #inner(text, isOpen) {
    return new Scanner(text, isOpen, this.depth + 1).scan();
  }

  /** @param {Inline} node */
  #push(node) {
    this.#flush();
    this.#nodes.push(node);
  }

  #flush() {
    if (this.#plain) this.#nodes.push(this.#plain);
    this.#plain = "";
  }
}

/**
 * The address when it is one that a page may link to: absolute, and http, https or mailto.
 * @param {string} address
 * @returns {string | null}
 */
export function safeAddress(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
