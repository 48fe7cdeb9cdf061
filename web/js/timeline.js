/** The part of an answer that opens to show where the time went. */

import { el, setText, show } from "./dom.js";
import { icon } from "./icons.js";
import { renderWaterfall } from "./waterfall.js";
import { durationWords } from "./words.js";

/** @typedef {import("./api.js").Timeline} Timeline */

export class TimelineView {
  #load;
  #summary = el("span", { class: "words" }, "Where the time went");
  #content = el("div", { class: "content" });
  /** @type {Timeline | null} */ #shown = null;

  /** @param {() => Promise<void>} load Fetches a timeline that is not known yet. */
  constructor(load) {
    this.#load = load;
    this.element = el(
      "details",
      { class: "timeline", hidden: true, ontoggle: () => this.#open() },
      el("summary", {}, icon("clock"), this.#summary),
      this.#content,
    );
  }

  /** @param {Timeline | null} timeline @param {boolean} visible */
  update(timeline, visible) {
    show(this.element, visible);
    if (!timeline || timeline === this.#shown) return;
    this.#shown = timeline;
    if (timeline.total_ms > 0) setText(this.#summary, `Where the time went: ${durationWords(timeline.total_ms)}`);
    this.#content.replaceChildren(renderWaterfall(timeline));
  }

  async #open() {
    if (!this.element.open) return;
    if (!this.#shown) await this.#fetch();
    this.#content.scrollIntoView({ block: "nearest" });
  }

  async #fetch() {
    this.#content.replaceChildren(el("p", {}, "Loading…"));
    try {
      await this.#load();
    } catch {
      this.#content.replaceChildren(
        el("p", {}, "The times could not be loaded. Close this and open it again to try once more."),
      );
    }
  }
}
