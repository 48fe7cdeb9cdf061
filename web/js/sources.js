/** What an answer rests on. */

import { el, show } from "./dom.js";
import { icon } from "./icons.js";
import { safeAddress } from "./inline.js";
import { link } from "./markdown.js";

/** @typedef {import("./api.js").Citation} Citation */

export class SourcesView {
  element = el("ul", { class: "sources", "aria-label": "Sources", hidden: true });
  #shown = "[]";

  /** @param {Citation[]} citations */
  show(citations) {
    const key = JSON.stringify(citations);
    if (key === this.#shown) return;
    this.#shown = key;
    show(this.element, citations.length > 0);
    this.element.replaceChildren(...citations.map((citation) => el("li", {}, renderCitation(citation))));
  }
}

/** @param {Citation} citation */
function renderCitation({ id, title, url }) {
  const href = url ? safeAddress(url) : null;
  const words = el("span", { class: "words" }, title || id);
  return href ? link(href, words, icon("link")) : el("span", { class: "source" }, words);
}
