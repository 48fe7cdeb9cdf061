/** Thumbs up, thumbs down, and the comment that may follow. */

import { el, setText, show } from "./dom.js";
import { icon } from "./icons.js";

/** @typedef {import("./api.js").Rating} Rating */

const MAX_COMMENT_CHARACTERS = 1_000;

export class FeedbackView {
  #send;
  #say;
  /** @type {Rating | null} */ #rating = null;
  #up;
  #down;
  #question = el("span");
  #comment = el("textarea", { rows: "2", maxlength: String(MAX_COMMENT_CHARACTERS) });
  #fields;
  #outcome = el("p", { class: "outcome", hidden: true });

  /**
   * @param {(rating: Rating, comment?: string) => Promise<void>} send
   * @param {(text: string) => void} say Tells screen readers.
   */
  constructor(send, say) {
    this.#send = send;
    this.#say = say;
    this.#up = this.#button("up", "Good answer");
    this.#down = this.#button("down", "Bad answer");
    this.buttons = el("span", { class: "rating" }, this.#up, this.#down);
    const skip = el("button", { type: "button", class: "plain", onclick: () => this.#close() }, "Not now");
    const fields = el("label", {}, this.#question, this.#comment);
    this.#fields = el(
      "div",
      { class: "comment", hidden: true },
      fields,
      el("div", { class: "row" }, el("button", { type: "submit", class: "primary" }, "Send"), skip),
    );
    this.form = el(
      "form",
      { class: "feedback", onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
      this.#fields,
      this.#outcome,
    );
    this.form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#close();
    });
  }

  /** @param {Rating | null} rating @param {boolean} visible */
  update(rating, visible) {
    this.#rating = rating;
    show(this.buttons, visible);
    show(this.form, visible);
    this.#up.setAttribute("aria-pressed", String(rating === "up"));
    this.#down.setAttribute("aria-pressed", String(rating === "down"));
  }

  /** @param {Rating} rating @param {string} label */
  #button(rating, label) {
    return el(
      "button",
      {
        type: "button",
        class: "tool",
        "aria-label": label,
        title: label,
        "aria-pressed": "false",
        onclick: () => this.#rate(rating),
      },
      icon(rating),
    );
  }

  /** @param {Rating} rating */
  async #rate(rating) {
    if (rating === this.#rating) return;
    const question = rating === "up" ? "Thank you! What was good about it?" : "Thank you. What should be better?";
    setText(this.#question, `${question} (optional)`);
    show(this.#fields, true);
    show(this.#outcome, false);
    this.#fields.scrollIntoView({ block: "nearest" });
    if (await this.#deliver(rating)) this.#say(`${question} A comment field follows.`);
    else show(this.#fields, false);
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const comment = this.#comment.value.trim();
    if (!comment || !this.#rating) return this.#close();
    if (await this.#deliver(this.#rating, comment)) this.#close("Thank you, your comment was sent.");
  }

  /** @param {Rating} rating @param {string} [comment] @returns {Promise<boolean>} */
  async #deliver(rating, comment) {
    try {
      await this.#send(rating, comment);
      return true;
    } catch {
      this.#tell("Your feedback could not be sent. Try again in a moment.");
      return false;
    }
  }

  /** @param {string} [outcome] */
  #close(outcome = "") {
    const hadFocus = this.form.contains(document.activeElement);
    show(this.#fields, false);
    this.#comment.value = "";
    this.#tell(outcome);
    if (hadFocus) (this.#rating === "down" ? this.#down : this.#up).focus();
  }

  /** @param {string} words */
  #tell(words) {
    setText(this.#outcome, words);
    show(this.#outcome, words !== "");
    this.#say(words);
  }
}
