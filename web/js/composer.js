/** The box in which a person writes. Enter sends, Shift+Enter breaks the line. */

import { byId, show } from "./dom.js";

export class Composer {
  #form = byId("composer");
  #text = /** @type {HTMLTextAreaElement} */ (byId("message"));
  #send = /** @type {HTMLButtonElement} */ (byId("send"));
  #stop = byId("stop");
  #isBusy = false;

  /** @param {{ask: (text: string) => void, stop: () => void}} actions */
  constructor(actions) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(actions.ask);
    });
    this.#text.addEventListener("keydown", (event) => {
      // While an input method composes a word, Enter belongs to it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit(actions.ask);
    });
    this.#text.addEventListener("input", () => this.#update());
    this.#stop.addEventListener("click", () => {
      actions.stop();
      this.focus();
    });
    this.#update();
  }

  /** @param {boolean} isBusy An answer is under way: it can be stopped, and the next question has to wait. */
  setBusy(isBusy) {
    if (isBusy === this.#isBusy) return;
    const hadFocus = this.#form.contains(document.activeElement);
    this.#isBusy = isBusy;
    this.#update();
    if (hadFocus) this.focus();
  }

  /** @param {boolean} visible */
  setVisible(visible) {
    show(this.#form, visible);
  }

  focus() {
    this.#text.focus({ preventScroll: true });
  }

  /** @param {(text: string) => void} ask */
  #submit(ask) {
    const text = this.#text.value.trim();
    if (!text || this.#isBusy) return;
    this.#text.value = "";
    this.#update();
    ask(text);
  }

  #update() {
    show(this.#send, !this.#isBusy);
    show(this.#stop, this.#isBusy);
    this.#send.disabled = this.#text.value.trim() === "";
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}
