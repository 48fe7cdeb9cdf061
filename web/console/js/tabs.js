/** The row of tabs, with the keys that people expect of one (WAI-ARIA Authoring Practices, tabs). */

import { el } from "../../js/dom.js";

export class Tabs {
  #buttons;
  #panel;
  #chosen;

  /**
   * @param {HTMLElement} container
   * @param {HTMLElement} panel What the tabs switch.
   * @param {{name: string, label: string}[]} tabs
   * @param {(name: string) => void} chosen
   */
  constructor(container, panel, tabs, chosen) {
    this.#panel = panel;
    this.#chosen = chosen;
    this.#buttons = tabs.map(({ name, label }) =>
      el(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${name}`,
          "aria-controls": panel.id,
          onclick: () => this.choose(name),
          onkeydown: (/** @type {KeyboardEvent} */ event) => this.#move(event),
        },
        label,
      ),
    );
    container.replaceChildren(...this.#buttons);
  }

  /** @param {string} name */
  choose(name) {
    for (const button of this.#buttons) {
      const isChosen = button.id === `tab-${name}`;
      button.setAttribute("aria-selected", String(isChosen));
      button.tabIndex = isChosen ? 0 : -1;
      if (isChosen) button.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    this.#panel.setAttribute("aria-labelledby", `tab-${name}`);
    this.#chosen(name);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const last = this.#buttons.length - 1;
    const here = this.#buttons.findIndex((button) => button === event.target);
    const places = new Map([
      ["ArrowRight", here === last ? 0 : here + 1],
      ["ArrowLeft", here === 0 ? last : here - 1],
      ["Home", 0],
      ["End", last],
    ]);
    const place = places.get(event.key);
    if (place === undefined) return;
    event.preventDefault();
    this.#buttons[place].focus();
    this.#buttons[place].click();
  }
}
