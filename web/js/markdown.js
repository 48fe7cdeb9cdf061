/** Shows Markdown as elements. Text of the model becomes text nodes only; no markup is ever parsed by the browser. */

import { parseBlocks } from "./blocks.js";
import { el } from "./dom.js";
import { parseInline } from "./inline.js";

/** @typedef {import("./blocks.js").Block} Block */
/** @typedef {import("./blocks.js").Item} Item */
/** @typedef {import("./inline.js").Inline} Inline */

/** Keeps an element in step with Markdown text that grows; blocks that did not change are left alone. */
export class MarkdownView {
  element = el("div", { class: "markdown" });
  /** @type {string[]} */
  #shown = [];

  /**
   * @param {string} text
   * @param {boolean} isOpen More text is still to come.
   */
  show(text, isOpen) {
    const blocks = parseBlocks(text);
    const keys = blocks.map((block, index) => JSON.stringify([block, isOpen && index === blocks.length - 1]));
    let same = 0;
    while (same < keys.length && keys[same] === this.#shown[same]) same++;
    while (this.element.children.length > same) this.element.lastElementChild?.remove();
    for (let index = same; index < blocks.length; index++) {
      this.element.append(renderBlock(blocks[index], isOpen && index === blocks.length - 1));
    }
    this.#shown = keys;
  }
}

/** @param {Block} block @param {boolean} isOpen @returns {HTMLElement} */
function renderBlock(block, isOpen) {
  switch (block.kind) {
    case "code":
      return el(
        "pre",
        { tabindex: "0", role: "region", "aria-label": `Code ${block.language}`.trim() },
        el("code", {}, block.text),
      );
    case "list":
      return renderList(block.items, isOpen);
    case "table":
      return renderTable(block.head, block.rows);
    case "heading":
      return el("p", { class: "heading" }, ...renderInline(block.text, isOpen));
    case "quote":
      return el("blockquote", {}, el("p", {}, ...renderInline(block.text, isOpen)));
    default:
      return el("p", {}, ...renderInline(block.text, isOpen));
  }
}

/** @param {Item[]} items @param {boolean} isOpen */
function renderList(items, isOpen) {
  /** The open lists, outermost first. @type {HTMLElement[]} */
  const lists = [];
  for (const [index, item] of items.entries()) {
    lists.length = Math.min(lists.length, item.depth + 1);
    if (lists.length <= item.depth) {
      const list = el(item.isOrdered ? "ol" : "ul", {
        start: item.isOrdered && item.start !== 1 ? String(item.start) : null,
      });
      lists.at(-1)?.lastElementChild?.append(list);
      lists.push(list);
    }
    lists[item.depth].append(el("li", {}, ...renderInline(item.text, isOpen && index === items.length - 1)));
  }
  return lists[0];
}

/** @param {string[]} head @param {string[][]} rows */
function renderTable(head, rows) {
  const header = el("tr", {}, ...head.map((cell) => el("th", { scope: "col" }, ...renderInline(cell, false))));
  const body = rows.map((row) =>
    el("tr", {}, ...head.map((_, column) => el("td", {}, ...renderInline(row[column] ?? "", false)))),
  );
  const table = el("table", {}, el("thead", {}, header), el("tbody", {}, ...body));
  return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" }, table);
}

/** @param {string} text @param {boolean} isOpen @returns {(string | HTMLElement)[]} */
function renderInline(text, isOpen) {
  return parseInline(text, isOpen).map(renderNode);
}

/** @param {Inline} node @returns {string | HTMLElement} */
function renderNode(node) {
  if (typeof node === "string") return node;
  if (node.tag === "code") return el("code", {}, node.text);
  if (node.tag === "a") return link(node.href, ...node.children.map(renderNode));
  return el(node.tag, {}, ...node.children.map(renderNode));
}

/**
 * A link to somewhere else: opened apart, without telling where it was found.
 * @param {string} href An address that `safeAddress` allowed.
 * @param {...(string | Node)} children
 */
export function link(href, ...children) {
  return el("a", { href, title: href, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, ...children);
}

/** What is left of Markdown when it is read aloud. @param {string} text */
export function spokenText(text) {
  const lines = text.split("\n").filter((line) => !/^[ \t]*(```|~~~)/.test(line) && /[^\s|:*_-]/.test(line));
  return lines
    .map((line) => line.trim().replace(/^([#>]+|[-*+]) +/, ""))
    .join(" ")
    .replace(/\[([^\]\n]{1,500})\]\([^)\s]{1,2000}\)/g, "$1")
    .replace(/\*\*|__|~~|[`*|]/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
