/** Tiles: a title, a big value, a note, and the state it is in. */

import { el } from "../../js/dom.js";
import { momentWords, numberWords } from "./format.js";
import { meaningOf, stateIcon } from "./state.js";

/** @param {import("./api.js").Result} result @param {any} settings `tileSettings` of the workbook. @returns {HTMLElement} */
export function renderTiles({ columns, rows }, settings) {
  const tiles = rows.map((row) => {
    const read = (/** @type {any} */ part) => {
      const index = columns.findIndex(({ name }) => name === part?.columnMatch);
      return index < 0 ? "" : valueWords(row[index], columns[index].type);
    };
    const meaning = settings.rightContent ? meaningOf(settings.rightContent, read(settings.rightContent)) : "unknown";
    return el(
      "li",
      { class: `tile ${meaning}` },
      el("h4", {}, read(settings.titleContent), stateIcon(meaning)),
      el("p", { class: "value" }, read(settings.leftContent)),
      el("p", { class: "note" }, read(settings.subtitleContent)),
    );
  });
  return el("ul", { class: "tiles" }, ...tiles);
}

/** @param {any} value @param {string} type */
function valueWords(value, type) {
  if (value === null) return "–";
  if (type === "datetime") return momentWords(value);
  return typeof value === "number" ? numberWords(value) : String(value);
}
