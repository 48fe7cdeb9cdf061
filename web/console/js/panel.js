/** One query of the workbook on the page: asks, shows, and says what is wrong without losing what it showed. */

import { el, setText, show } from "../../js/dom.js";
import { Chart } from "./chart.js";
import { renderGrid } from "./grid.js";
import { renderTiles } from "./tiles.js";
import { errorWords } from "./words.js";

/** @typedef {import("./api.js").Result} Result */
/** @typedef {import("./workbook.js").Workbook} Workbook */
/** @typedef {(name: string, signal: AbortSignal) => Promise<Result>} Ask */

export class Panel {
  #item;
  #workbook;
  #title = el("h3", {});
  #problem = el("p", { class: "problem", role: "status", hidden: true });
  #content = el("div", { class: "content" }, el("p", { class: "empty" }, "Loading…"));
  /** @type {HTMLButtonElement | null} */ #toggle = null;
  /** @type {Chart | null} */ #chart = null;
  /** @type {Result | null} */ #result = null;
  #asTable = false;
  /** @type {AbortController | null} */ #asking = null;

  /** @param {any} item A query item of the workbook. @param {Workbook} workbook */
  constructor(item, workbook) {
    this.#item = item;
    this.#workbook = workbook;
    const { visualization } = item.content;
    const isChart = visualization.endsWith("chart");
    if (isChart)
      this.#toggle = el("button", { type: "button", class: "plain small", onclick: () => this.#switch() }, "As table");
    this.element = el(
      "section",
      { class: `panel ${visualization === "tiles" ? "bare" : ""}`, "aria-busy": "true" },
      el("header", {}, this.#title, this.#toggle),
      this.#problem,
      this.#content,
    );
    this.element.style.setProperty("--width", String(item.customWidth ?? 100));
    this.#say();
  }

  /** @param {Ask} ask */
  async refresh(ask) {
    const isVisible = this.#workbook.isVisible(this.#item);
    show(this.element, isVisible);
    if (!isVisible) return;
    this.#say();
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    this.element.setAttribute("aria-busy", "true");
    try {
      this.#result = await ask(this.#item.name, asking.signal);
      if (asking.signal.aborted) return;
      show(this.#problem, this.#result.partial !== null);
      setText(
        this.#problem,
        this.#result.partial === null ? "" : `Part of the result is missing: ${this.#result.partial}`,
      );
      this.#draw();
    } catch (error) {
      if (asking.signal.aborted) return;
      show(this.#problem, true);
      setText(this.#problem, errorWords(error));
    }
    this.element.setAttribute("aria-busy", "false");
  }

  close() {
    this.#asking?.abort();
    this.#chart?.close();
  }

  #say() {
    setText(this.#title, this.#workbook.fillIn(this.#item.content.title ?? ""));
  }

  #switch() {
    this.#asTable = !this.#asTable;
    if (this.#toggle) setText(this.#toggle, this.#asTable ? "As chart" : "As table");
    this.#draw();
  }

  #draw() {
    const { content } = this.#item;
    const result = this.#result;
    if (!result) return;
    if (!result.rows.length)
      return this.#show(el("p", { class: "empty" }, content.noDataMessage ?? "Nothing to show."));
    if (content.visualization === "tiles") return this.#show(renderTiles(result, content.tileSettings));
    if (content.visualization.endsWith("chart") && !this.#asTable) return this.#drawChart(result);
    const exported = content.exportedParameters?.[0];
    this.#show(
      renderGrid(result, {
        formatters: content.gridSettings?.formatters,
        caption: this.#title.textContent ?? "",
        choose: exported && ((row) => this.#workbook.choose(this.#item, row)),
        chosen: exported && this.#workbook.values[exported.parameterName],
      }),
    );
  }

  /** @param {Result} result */
  #drawChart(result) {
    const { visualization, chartSettings } = this.#item.content;
    if (!this.#chart) this.#chart = new Chart(visualization, chartSettings, this.#title.textContent ?? "");
    if (this.#chart.element.parentElement !== this.#content) this.#content.replaceChildren(this.#chart.element);
    this.#chart.show(result, this.#workbook.range);
  }

  /** Shows something in place of what was there, and keeps the keyboard where it was. @param {HTMLElement} shown */
  #show(shown) {
    const focused = [...this.#content.querySelectorAll("button, [tabindex]")].indexOf(document.activeElement ?? shown);
    const scrolled = this.#content.querySelector(".scroll")?.scrollLeft ?? 0;
    this.#content.replaceChildren(shown);
    if (shown.classList.contains("scroll")) shown.scrollLeft = scrolled;
    if (focused >= 0)
      /** @type {HTMLElement[]} */ ([...this.#content.querySelectorAll("button, [tabindex]")])[focused]?.focus();
  }
}
