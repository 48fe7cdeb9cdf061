/** The button that copies an answer. */

import { el, show } from "./dom.js";
import { icon } from "./icons.js";

const CONFIRMED_FOR_MILLISECONDS = 2_000;

export class CopyButton {
  #read;
  #say;

  /**
   * @param {() => string} read The text to copy.
   * @param {(text: string) => void} say Tells screen readers.
   */
  constructor(read, say) {
    this.#read = read;
    this.#say = say;
    const attributes = { type: "button", class: "tool", "aria-label": "Copy answer", title: "Copy" };
    this.element = el("button", { ...attributes, onclick: () => this.#copy() }, icon("copy"));
  }

  /** Browsers offer the clipboard to pages with TLS (or on this machine) only. @param {boolean} visible */
  setVisible(visible) {
    show(this.element, visible && "clipboard" in navigator);
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#read());
      this.element.replaceChildren(icon("check"));
      this.#say("Answer copied");
    } catch {
      this.element.replaceChildren(icon("alert"));
      this.#say("The browser did not allow copying");
    }
    setTimeout(() => this.element.replaceChildren(icon("copy")), CONFIRMED_FOR_MILLISECONDS);
  }
}
