/** One tab of the workbook: its texts, its own parameters and its panels. */

import { MarkdownView } from "../../js/markdown.js";
import { el, show } from "../../js/dom.js";
import { Filters } from "./filters.js";
import { Panel } from "./panel.js";
import { KIND } from "./workbook.js";

/** @typedef {import("./workbook.js").Workbook} Workbook */
/** @typedef {import("./api.js").ConsoleApi} ConsoleApi */

export class View {
  element = el("div", { class: "panels" });
  #workbook;
  #api;
  /** @type {Panel[]} */ #panels = [];
  /** @type {Filters[]} */ #filters = [];
  #stopped = false;

  /** @param {Workbook} workbook @param {ConsoleApi} api @param {(name: string) => Promise<string[]>} offers */
  constructor(workbook, api, offers) {
    this.#workbook = workbook;
    this.#api = api;
    for (const item of workbook.items) {
      if (item.type === KIND.query) this.#addPanel(item);
      if (item.type === KIND.text) this.#addText(item);
      if (item.type === KIND.parameters) this.#addFilters(item, offers);
    }
    workbook.onChosen = () => this.#ask(this.#panels);
  }

  async refresh() {
    await Promise.all(this.#filters.map((filters) => filters.refresh()));
    if (!this.#stopped) await this.#ask(this.#panels);
  }

  close() {
    this.#stopped = true;
    for (const panel of this.#panels) panel.close();
  }

  /** @param {Panel[]} panels */
  async #ask(panels) {
    const values = this.#workbook.sent;
    await Promise.all(panels.map((panel) => panel.refresh((name, signal) => this.#api.query(name, values, signal))));
  }

  /** @param {any} item */
  #addPanel(item) {
    const panel = new Panel(item, this.#workbook);
    show(panel.element, this.#workbook.isVisible(item));
    this.#panels.push(panel);
    this.element.append(panel.element);
  }

  /** @param {any} item */
  #addText(item) {
    const view = new MarkdownView();
    view.show(this.#workbook.fillIn(item.content.json), false);
    const text = el("section", { class: "panel words" }, view.element);
    text.style.setProperty("--width", String(item.customWidth ?? 100));
    this.element.append(text);
  }

  /** @param {any} item @param {(name: string) => Promise<string[]>} offers */
  #addFilters(item, offers) {
    const container = el("div", { class: "filters inner" });
    this.#filters.push(
      new Filters(container, this.#workbook, item.content.parameters, offers, () => this.#ask(this.#panels)),
    );
    this.element.append(container);
  }
}
