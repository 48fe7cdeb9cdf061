/** Tables of the workbook: numbers, bars, states, and rows that can be chosen. */

import { el } from "../../js/dom.js";
import { momentWords, numberWords } from "./format.js";
import { meaningOf, stateIcon } from "./state.js";

/** @typedef {import("./api.js").Result} Result */
/** @typedef {import("./api.js").Column} Column */
/** @typedef {{most: number, start: number | null}} Scale What bars of a column are drawn against, and where this row's begins. */

const AUTOMATIC = { formatter: 0 };
const FORMATTER = { bar: 4, hidden: 5, thresholds: 18 };
/** Where a table has this column, its bars begin there: a waterfall. */
const STARTS = "Starts after, ms";
const NUMBERS = new Set(["real", "long", "int", "decimal"]);

/**
 * @param {Result} result
 * @param {object} options
 * @param {any[]} [options.formatters] As in the workbook.
 * @param {string} options.caption
 * @param {(row: Record<string, any>) => void} [options.choose] Called with the row that was chosen.
 * @param {string} [options.chosen] Value of the last column of the row that is chosen now.
 * @returns {HTMLElement}
 */
export function renderGrid({ columns, rows }, { formatters = [], caption, choose, chosen }) {
  const looks = columns.map(
    (column) => formatters.find((one) => new RegExp(one.columnMatch).test(column.name)) ?? AUTOMATIC,
  );
  const shown = columns.map((_, index) => index).filter((index) => looks[index].formatter !== FORMATTER.hidden);
  const starts = columns.findIndex(({ name }) => name === STARTS);
  const startOf = (/** @type {any[]} */ row) => (starts < 0 ? null : Number(row[starts]));
  const most = columns.map((_, index) =>
    Math.max(0, ...rows.map((row) => (startOf(row) ?? 0) + (Number(row[index]) || 0))),
  );
  const head = shown.map((index) =>
    el("th", { scope: "col", class: NUMBERS.has(columns[index].type) && "number" }, columns[index].name),
  );
  const body = rows.map((row) => {
    const cells = shown.map((index, place) =>
      renderCell(row[index], columns[index], looks[index], { most: most[index], start: startOf(row) }, place === 0),
    );
    const record = Object.fromEntries(columns.map(({ name }, index) => [name, row[index]]));
    const isChosen = choose !== undefined && chosen !== "" && row[row.length - 1] === chosen;
    if (choose) cells.unshift(renderChoice(cells, isChosen, () => choose(record)));
    return el("tr", { class: isChosen && "chosen" }, ...cells);
  });
  if (choose) head.unshift(el("th", { scope: "col" }, el("span", { class: "visually-hidden" }, "Choose")));
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", { class: "visually-hidden" }, caption),
      el("thead", {}, el("tr", {}, ...head)),
      el("tbody", {}, ...body),
    ),
  );
}

/** @param {HTMLElement[]} cells @param {boolean} isChosen @param {() => void} choose */
function renderChoice(cells, isChosen, choose) {
  const name = `Show the trace of ${cells[0].textContent}`;
  return el(
    "td",
    { class: "choose" },
    el(
      "button",
      { type: "button", class: "plain small", "aria-pressed": String(isChosen), "aria-label": name, onclick: choose },
      "Trace",
    ),
  );
}

/** @param {any} value @param {Column} column @param {any} look @param {Scale} scale @param {boolean} isHead */
function renderCell(value, column, look, scale, isHead) {
  const isNumber = NUMBERS.has(column.type);
  const attributes = { class: isNumber && "number" };
  const content = renderValue(value, column, look, scale);
  return isHead ? el("th", { scope: "row", ...attributes }, ...content) : el("td", attributes, ...content);
}

/** @param {any} value @param {Column} column @param {any} look @param {Scale} scale @returns {(string | Node)[]} */
function renderValue(value, { type }, look, { most, start }) {
  if (look.formatter === FORMATTER.thresholds) return [stateIcon(meaningOf(look, value)), ` ${value}`];
  if (value === null || value === "" || value === "NaN") return [el("span", { class: "none" }, "–")];
  if (type === "bool") return [value ? "yes" : "no"];
  if (type === "datetime") return [momentWords(value)];
  if (!NUMBERS.has(type)) return [String(value)];
  const words = numberWords(Number(value), look.numberFormat?.options?.maximumFractionDigits);
  if (look.formatter !== FORMATTER.bar || most <= 0) return [words];
  const bar = el("span", { class: start === null ? "bar" : "bar placed", "aria-hidden": "true" });
  bar.style.setProperty("--share", String(Math.max(0, Number(value) / most)));
  bar.style.setProperty("--start", String((start ?? 0) / most));
  return [bar, words];
}
