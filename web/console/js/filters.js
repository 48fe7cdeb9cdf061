/** The row of parameters: what to look at. */

import { el } from "../../js/dom.js";
import { rangeWords } from "./format.js";
import { ALL, PARAMETER, isFirst } from "./workbook.js";

/** @typedef {import("./workbook.js").Workbook} Workbook */

/** Offered values of a drop-down: of its list, or of its query. @typedef {(name: string) => Promise<string[]>} Offers */

export class Filters {
  #workbook;
  #offers;
  #changed;
  /** @type {Map<string, (values: string[]) => void>} */
  #offerings = new Map();

  /**
   * @param {HTMLElement} container
   * @param {Workbook} workbook
   * @param {any[]} parameters
   * @param {Offers} offers
   * @param {() => void} changed
   */
  constructor(container, workbook, parameters, offers, changed) {
    this.#workbook = workbook;
    this.#offers = offers;
    this.#changed = changed;
    container.replaceChildren(...parameters.map((parameter) => this.#input(parameter)));
  }

  /** Asks again what can be chosen. @returns {Promise<void>} */
  async refresh() {
    const asked = [...this.#offerings].map(async ([name, offer]) => {
      try {
        offer(await this.#offers(name));
      } catch {
        // The panels say what is wrong; what could be chosen before can still be.
      }
    });
    await Promise.all(asked);
  }

  /** @param {any} parameter @returns {HTMLElement} */
  #input(parameter) {
    if (parameter.type === PARAMETER.time) return this.#time(parameter);
    if (parameter.type === PARAMETER.text) return this.#text(parameter);
    return parameter.multiSelect ? this.#several(parameter) : this.#single(parameter);
  }

  /** @param {any} parameter */
  #time({ name, label, typeSettings, value }) {
    const options = typeSettings.selectableValues.map((/** @type {any} */ { durationMs }) =>
      el("option", { value: String(durationMs), selected: durationMs === value.durationMs }, rangeWords(durationMs)),
    );
    const custom = el("option", { value: "custom" }, "From … to …");
    const select = el("select", { id: `filter-${name}` }, ...options, custom);
    const now = new Date();
    const [from, to] = [new Date(now.valueOf() - value.durationMs), now].map((moment, index) =>
      el("input", {
        type: "datetime-local",
        "aria-label": `${index ? "Until" : "From"}, UTC`,
        value: moment.toISOString().slice(0, 16),
      }),
    );
    const moments = el("span", { class: "moments", hidden: true }, from, to);
    const take = () => {
      moments.hidden = select.value !== "custom";
      this.#set(
        name,
        select.value === "custom"
          ? { startTime: `${from.value}:00Z`, endTime: `${to.value}:00Z` }
          : { durationMs: Number(select.value) },
      );
    };
    for (const input of [select, from, to]) input.addEventListener("change", take);
    return el("div", { class: "filter" }, el("label", { for: select.id }, label), select, moments);
  }

  /** @param {any} parameter */
  #text({ name, label, value }) {
    const input = el("input", {
      id: `filter-${name}`,
      value,
      inputmode: "decimal",
      size: "5",
      onchange: (/** @type {any} */ event) => this.#set(name, event.target.value.trim()),
    });
    return el("div", { class: "filter" }, el("label", { for: input.id }, label), input);
  }

  /** @param {any} parameter */
  #single({ name, label }) {
    const select = el("select", {
      id: `filter-${name}`,
      onchange: (/** @type {any} */ event) => this.#set(name, event.target.value),
    });
    this.#offerings.set(name, (values) => {
      const known = this.#workbook.values[name];
      const chosen = isFirst(known) || !values.includes(known) ? (values[0] ?? "") : known;
      this.#workbook.values[name] = chosen;
      if (values.length && isSame(values, [...select.options])) return;
      select.replaceChildren(...values.map((value) => el("option", { value, selected: value === chosen }, value)));
      select.disabled = values.length === 0;
      if (!values.length) select.append(el("option", { value: "" }, "none yet"));
    });
    return el("div", { class: "filter" }, el("label", { for: select.id }, label), select);
  }

  /** @param {any} parameter */
  #several({ name, label, jsonData }) {
    const summary = el("summary", {}, el("span", { class: "of" }, label), " ", el("span", { class: "chosen" }, "all"));
    const choices = el("fieldset", {}, el("legend", { class: "visually-hidden" }, label));
    const picker = el("details", { class: "filter picker", onkeydown: closeOnEscape }, summary, choices);
    document.addEventListener("pointerdown", (event) => {
      if (!picker.contains(/** @type {Node} */ (event.target))) picker.open = false;
    });
    /** @param {string[]} values */
    const offer = (values) => {
      // What is offered already keeps its focus.
      if (isSame([ALL, ...values], inputs(choices))) return;
      const chosen = new Set(this.#workbook.values[name]);
      const boxes = [ALL, ...values].map((value) => this.#box(name, value, chosen.has(value), choices, summary));
      choices.replaceChildren(choices.firstChild ?? "", ...boxes);
      say(summary, choices);
    };
    if (jsonData) offer(JSON.parse(jsonData).map((/** @type {any} */ one) => one.value));
    else this.#offerings.set(name, offer);
    return picker;
  }

  /** @param {string} name @param {string} value @param {boolean} checked @param {HTMLElement} choices @param {HTMLElement} summary */
  #box(name, value, checked, choices, summary) {
    const onchange = (/** @type {any} */ { target }) => {
      const boxes = inputs(choices);
      const [all, ...others] = boxes;
      if (target === all) for (const box of others) box.checked = false;
      else all.checked = false;
      if (!boxes.some((box) => box.checked)) all.checked = true;
      say(summary, choices);
      this.#set(
        name,
        boxes.filter((box) => box.checked).map((box) => box.value),
      );
    };
    const box = el("input", { type: "checkbox", value, checked, onchange });
    return el("label", { class: "choice" }, box, value === ALL ? "All" : value);
  }

  /** @param {string} name @param {any} value */
  #set(name, value) {
    this.#workbook.values[name] = value;
    this.#changed();
  }
}

/** @param {string[]} values @param {{value: string}[]} shown */
function isSame(values, shown) {
  return values.length === shown.length && values.every((value, index) => value === shown[index].value);
}

/** @param {HTMLElement} choices */
function inputs(choices) {
  return [...choices.querySelectorAll("input")];
}

/** @param {HTMLElement} summary @param {HTMLElement} choices */
function say(summary, choices) {
  const chosen = inputs(choices).filter((box) => box.checked);
  const words = chosen.length > 2 ? `${chosen.length} chosen` : chosen.map((box) => box.value).join(", ");
  const shown = /** @type {HTMLElement} */ (summary.querySelector(".chosen"));
  shown.textContent = chosen.some((box) => box.value === ALL) || !chosen.length ? "all" : words;
}

/** @param {KeyboardEvent} event */
function closeOnEscape(event) {
  const picker = /** @type {HTMLDetailsElement} */ (event.currentTarget);
  if (event.key !== "Escape" || !picker.open) return;
  picker.open = false;
  picker.querySelector("summary")?.focus();
}
