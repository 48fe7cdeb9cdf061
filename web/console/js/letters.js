/** Dead letters: what could not be answered, and asking it again. */

import { el, setText, show } from "../../js/dom.js";
import { momentWords } from "./format.js";
import { errorWords } from "./words.js";

/** @typedef {import("./api.js").ConsoleApi} ConsoleApi */
/** @typedef {import("./api.js").DeadLetter} DeadLetter */

const HEADS = ["Turn", "Tenant", "Reason", "Asked", "State"];

export class DeadLetters {
  #api;
  #announce;
  #problem = el("p", { class: "problem", role: "status", hidden: true });
  #content = el("div", { class: "content" }, el("p", { class: "empty" }, "Looking…"));

  /** @param {ConsoleApi} api @param {(words: string) => void} announce */
  constructor(api, announce) {
    this.#api = api;
    this.#announce = announce;
    const refresh = el("button", { type: "button", class: "plain small", onclick: () => this.refresh() }, "Look again");
    this.element = el(
      "section",
      { class: "panel" },
      el("header", {}, el("h3", {}, "Dead letters"), refresh),
      this.#problem,
      this.#content,
    );
  }

  async refresh() {
    try {
      const { lanes: known } = await this.#api.operations();
      const lanes = await Promise.all(
        known.map(async ({ lane }) => ({ lane, letters: await this.#api.deadLetters(lane) })),
      );
      const found = lanes.filter(({ letters }) => letters.length);
      this.#content.replaceChildren(
        ...(found.length
          ? found.map((one) => this.#renderLane(one))
          : [el("p", { class: "empty" }, "None. Every message was answered or is still waiting.")]),
      );
      show(this.#problem, false);
    } catch (error) {
      this.#say(`The dead letters could not be read. ${errorWords(error)}`);
    }
  }

  /** @param {{lane: string, letters: DeadLetter[]}} found */
  #renderLane({ lane, letters }) {
    const rows = letters.map((letter) =>
      el(
        "tr",
        {},
        el("th", { scope: "row", class: "mono" }, letter.turn_id ?? "unreadable"),
        ...[
          letter.tenant,
          letter.reason,
          letter.created_at && momentWords(letter.created_at),
          /** @type {any} */ (letter).turn_state,
        ].map((text) => el("td", {}, text || "–")),
        el("td", {}, this.#button("Ask again", lane, [letter])),
      ),
    );
    return el(
      "div",
      {},
      el(
        "header",
        { class: "sub" },
        el("h4", {}, `${lane}: ${letters.length}`),
        letters.length > 1 && this.#button("Ask all again", lane, letters),
      ),
      el(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": `Dead letters of ${lane}` },
        el(
          "table",
          {},
          el(
            "thead",
            {},
            el(
              "tr",
              {},
              ...HEADS.map((name) => el("th", { scope: "col" }, name)),
              el("th", { scope: "col" }, el("span", { class: "visually-hidden" }, "Action")),
            ),
          ),
          el("tbody", {}, ...rows),
        ),
      ),
    );
  }

  /** @param {string} words @param {string} lane @param {DeadLetter[]} letters */
  #button(words, lane, letters) {
    const button = el(
      "button",
      { type: "button", class: "action", onclick: () => this.#replay(button, lane, letters) },
      words,
    );
    if (letters.length === 1) button.append(el("span", { class: "visually-hidden" }, ` ${letters[0].turn_id}`));
    return button;
  }

  /** @param {HTMLButtonElement} button @param {string} lane @param {DeadLetter[]} letters */
  async #replay(button, lane, letters) {
    button.disabled = true;
    try {
      const { replayed } = await this.#api.replay(
        lane,
        letters.map((letter) => letter.sequence_number),
      );
      const again = replayed.filter((one) => one.replayed_as !== null).length;
      const lost = replayed.length - again;
      this.#announce(`${again} asked again${lost ? `; ${lost} had no turn any more and were removed` : ""}.`);
      await this.refresh();
    } catch (error) {
      button.disabled = false;
      this.#say(`That did not work. ${errorWords(error)}`);
    }
  }

  /** @param {string} words */
  #say(words) {
    setText(this.#problem, words);
    show(this.#problem, true);
  }
}
