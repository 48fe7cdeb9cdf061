/** The block part of Markdown: paragraphs, headings, lists, tables, quotes and code blocks. */

/** @typedef {{depth: number, isOrdered: boolean, start: number, text: string}} Item */
/**
 * @typedef {{kind: "paragraph" | "heading" | "quote", text: string}
 *   | {kind: "code", language: string, text: string}
 *   | {kind: "list", items: Item[]}
 *   | {kind: "table", head: string[], rows: string[][]}} Block
 */

const FENCE = /^ {0,3}(```+|~~~+)\s*([\w+#.-]*)/;
const HEADING = /^ {0,3}#{1,6}\s+(\S.*)$/;
const ITEM = /^(\s*)([-*+•]|(\d{1,9})[.)])\s+(.*)$/;
/** The beginning of an item whose text is still to come. */
const BARE_ITEM = /^(\s*)([-*+•]|(\d{1,9})[.)])\s*()$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;
const MAX_LIST_DEPTH = 6;

/**
 * Cuts text into blocks. Text that is still growing changes its last block only (or the one it joins).
 * @param {string} text
 * @returns {Block[]}
 */
export function parseBlocks(text) {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  /** @type {Block[]} */
  const blocks = [];
  for (let at = 0; at < lines.length;) {
    if (lines[at].trim() === "" || RULE.test(lines[at])) at++;
    else
      at =
        takeCode(lines, at, blocks) ??
        takeTable(lines, at, blocks) ??
        takeList(lines, at, blocks) ??
        takeText(lines, at, blocks);
  }
  return blocks;
}

/** @param {string[]} lines @param {number} at @param {Block[]} blocks @returns {number | undefined} Line after the block. */
function takeCode(lines, at, blocks) {
  const [, fence, language] = FENCE.exec(lines[at]) ?? [];
  if (!fence) return undefined;
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(fence)) end++;
  blocks.push({ kind: "code", language, text: lines.slice(at + 1, end).join("\n") });
  return end + 1;
}

/** @param {string[]} lines @param {number} at @param {Block[]} blocks @returns {number | undefined} */
function takeTable(lines, at, blocks) {
  const isTable = lines[at].includes("|") && cells(lines[at + 1] ?? "").every((cell) => /^:?-+:?$/.test(cell));
  if (!isTable) return undefined;
  const head = cells(lines[at]);
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end++;
  const rows = lines.slice(at + 2, end).map(cells);
  blocks.push({ kind: "table", head, rows });
  return end;
}

/** @param {string} line */
function cells(line) {
  return line
    .trim()
    .replace(/^\|/, "")
    .replace(/\|$/, "")
    .split("|")
    .map((cell) => cell.trim());
}

/** @param {string[]} lines @param {number} at @param {Block[]} blocks @returns {number | undefined} */
function takeList(lines, at, blocks) {
  if (!ITEM.test(lines[at])) return undefined;
  /** @type {Item[]} */
  const items = [];
  /** Indentations of the lists that are open. @type {number[]} */
  const indents = [];
  for (; at < lines.length; at++) {
    const [, space, , number, text] = ITEM.exec(lines[at]) ?? BARE_ITEM.exec(lines[at]) ?? [];
    if (text !== undefined && !RULE.test(lines[at])) {
      while (indents.length > 1 && space.length < indents[indents.length - 1]) indents.pop();
      if (indents.length === 0 || (space.length >= indents[indents.length - 1] + 2 && indents.length < MAX_LIST_DEPTH))
        indents.push(space.length);
      items.push({ depth: indents.length - 1, isOrdered: number !== undefined, start: Number(number ?? 1), text });
    } else if (
      lines[at].trim() !== "" &&
      (/^\s/.test(lines[at]) || lines[at - 1].trim() !== "") &&
      !startsBlock(lines[at])
    ) {
      items[items.length - 1].text += `\n${lines[at].trim()}`;
    } else if (lines[at].trim() !== "" || !ITEM.test(lines[at + 1] ?? "")) break;
  }
  blocks.push({ kind: "list", items });
  return at;
}

/** @param {string[]} lines @param {number} at @param {Block[]} blocks @returns {number} */
function takeText(lines, at, blocks) {
  const heading = HEADING.exec(lines[at]);
  if (heading) {
    blocks.push({ kind: "heading", text: heading[1].trimEnd().replace(/ #+$/, "") });
    return at + 1;
  }
  const isQuote = QUOTE.test(lines[at]);
  const begin = at++;
  while (at < lines.length && lines[at].trim() !== "" && (isQuote ? QUOTE.test(lines[at]) : !startsBlock(lines[at])))
    at++;
  const text = lines
    .slice(begin, at)
    .map((line) => (isQuote ? line.replace(QUOTE, "$1") : line.trim()))
    .join("\n");
  blocks.push({ kind: isQuote ? "quote" : "paragraph", text });
  return at;
}

/** @param {string} line */
function startsBlock(line) {
  return FENCE.test(line) || HEADING.test(line) || ITEM.test(line) || QUOTE.test(line) || RULE.test(line);
}
