/** The workbook as the console reads it: parameters with their values, tabs, and what is visible now. */

/** @typedef {any} Item An item as it is in the file. */

/** Codes of the file format. */
export const KIND = { text: 1, query: 3, parameters: 9, links: 11, group: 12 };
export const PARAMETER = { text: 1, choice: 2, time: 4 };
export const ALL = "value::all";
const FIRST = "value::1";

export class Workbook {
  /** @type {Record<string, any>} Values by name; what the routes take. */
  values = {};
  /** Called when a value was changed by something other than the filters. */
  onChosen = () => {};

  #content;
  #tabParameter = "";

  /** @param {{items: Item[]}} content */
  constructor(content) {
    this.#content = content;
    for (const parameter of this.#parameters(content.items)) this.values[parameter.name] = parameter.value ?? "";
    this.tabs = this.#readTabs();
    if (this.tabs.length) this.values[this.#tabParameter] = this.tabs[0].name;
  }

  /** @returns {{name: string, label: string}[]} */
  #readTabs() {
    const links = this.#content.items.find((item) => item.type === KIND.links)?.content.links ?? [];
    this.#tabParameter = links[0]?.cellValue ?? "";
    return links.map((/** @type {any} */ link) => ({ name: link.subTarget, label: link.linkLabel }));
  }

  /** @param {string} name */
  chooseTab(name) {
    this.values[this.#tabParameter] = name;
  }

  /** Parameters above the tabs, which hold for all of them. */
  get filters() {
    return this.#parameters(this.#content.items.filter((item) => item.type === KIND.parameters));
  }

  /** Items of the chosen tab, those that are hidden now included. @returns {Item[]} */
  get items() {
    const groups = this.#content.items.filter((item) => item.type === KIND.group && this.isVisible(item));
    return groups.flatMap((group) => group.content.items);
  }

  /** @param {Item} item */
  isVisible({ conditionalVisibility: rule }) {
    if (!rule) return true;
    const value = String(this.values[rule.parameterName] ?? "");
    return rule.comparison === "isNotEqualTo" ? value !== rule.value : value === rule.value;
  }

  /** What the routes take: the chosen values without those that nothing is known of. */
  get sent() {
    const known = new Set(
      this.#parameters(this.#content.items)
        .map(({ name }) => name)
        .concat(this.#exported()),
    );
    return Object.fromEntries(Object.entries(this.values).filter(([name]) => known.has(name)));
  }

  /** First and last moment of the chosen time range. @returns {[number, number]} */
  get range() {
    const chosen = this.filters.find(({ type }) => type === PARAMETER.time);
    const { startTime, endTime, durationMs } = this.values[chosen?.name] ?? {};
    return startTime ? [Date.parse(startTime), Date.parse(endTime)] : [Date.now() - durationMs, Date.now()];
  }

  /** @param {string} text A title or Markdown with {Parameter} in it. */
  fillIn(text) {
    return text.replaceAll(/\{(\w+)(?::label)?\}/g, (placeholder, name) =>
      name in this.values ? String(this.values[name]) : placeholder,
    );
  }

  /** Takes the values that choosing a row of a table gives. @param {Item} item @param {Record<string, any>} row */
  choose(item, row) {
    for (const { fieldName, parameterName } of item.content.exportedParameters ?? [])
      this.values[parameterName] = String(row[fieldName] ?? "");
    this.onChosen();
  }

  #exported() {
    const found = this.#content.items.flatMap((item) => item.content.items ?? []);
    return found.flatMap((item) =>
      (item.content.exportedParameters ?? []).map((/** @type {any} */ one) => one.parameterName),
    );
  }

  /** @param {Item[]} items @returns {any[]} Parameters that the console has an input for. */
  #parameters(items) {
    const known = new Set(Object.values(PARAMETER));
    return items.flatMap((item) => {
      const own = item.type === KIND.parameters ? item.content.parameters : [];
      return [
        ...own.filter((/** @type {any} */ one) => known.has(one.type)),
        ...this.#parameters(item.content.items ?? []),
      ];
    });
  }
}

/** True when the first of the offered values is meant. @param {any} value */
export function isFirst(value) {
  return value === FIRST || value === "";
}
