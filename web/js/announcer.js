/** Tells screen readers what happens, in sentences and not in tokens. */

import { el } from "./dom.js";
import { spokenText } from "./markdown.js";

const MAX_LINES = 8;
const SENTENCE_END = /[.!?…:](?=\s)|\n/g;

export class Announcer {
  #region;
  /** How much of the answer was said. */
  #said = 0;

  /** @param {HTMLElement} region A polite live region that reads what is added to it. */
  constructor(region) {
    this.#region = region;
  }

  /** @param {string} text */
  say(text) {
    if (!text) return;
    this.#region.append(el("p", {}, text));
    while (this.#region.children.length > MAX_LINES) this.#region.firstElementChild?.remove();
  }

  /** The answer starts, for the first time or anew. */
  begin() {
    this.#said = 0;
  }

  /**
   * Says the sentences that are new in a growing answer; all that is left once it is whole.
   * @param {string} answer Markdown.
   * @param {boolean} isWhole
   */
  follow(answer, isWhole) {
    const fresh = answer.slice(this.#said);
    const end = isWhole ? fresh.length : lastSentenceEnd(fresh);
    this.#said += end;
    this.say(spokenText(fresh.slice(0, end)));
  }
}

/** @param {string} text */
function lastSentenceEnd(text) {
  let end = 0;
  for (const { index, 0: mark } of text.matchAll(SENTENCE_END)) end = index + mark.length;
  return end;
}
