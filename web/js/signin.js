/** The field that asks for a key when there is none, or when it was refused. It takes the composer's place. */

import { byId, setText, show } from "./dom.js";
import { problemWords } from "./words.js";

/** @typedef {import("./api.js").Problem} Problem */

export class SignIn {
  #form = byId("sign-in");
  #key = /** @type {HTMLInputElement} */ (byId("key"));
  #reason = byId("sign-in-reason");
  #words;

  /**
   * @param {(key: string) => void} provide
   * @param {(problem: Problem) => string} [words] Says why a key was refused.
   */
  constructor(provide, words = problemWords) {
    this.#words = words;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const key = this.#key.value.trim();
      if (!key) return this.#key.focus();
      this.#key.value = "";
      provide(key);
    });
  }

  /** @param {Problem | null} problem Why the last key was refused. */
  ask(problem) {
    show(this.#form, true);
    show(this.#reason, problem !== null);
    setText(this.#reason, problem ? this.#words(problem) : "");
    this.#key.setAttribute("aria-invalid", String(problem !== null));
    this.#key.focus({ preventScroll: true });
  }

  close() {
    show(this.#form, false);
  }
}
