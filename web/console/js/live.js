/** The live state: lanes, deployments and dead letters, and what an operator can do about them. */

import { el, setText, show } from "../../js/dom.js";
import { confirmed } from "./confirm.js";
import { DeadLetters } from "./letters.js";
import { renderDeployments } from "./deployments.js";
import { numberWords, secondsWords } from "./format.js";
import { errorWords } from "./words.js";

/** @typedef {import("./api.js").ConsoleApi} ConsoleApi */
/** @typedef {import("./api.js").Operations} Operations */
/** @typedef {import("./api.js").LaneState} LaneState */

export const LIVE_MILLISECONDS = 3_000;

export class Live {
  #api;
  #announce;
  #problem = el("p", { class: "problem", role: "status", hidden: true });
  #lanes = el("div", { class: "content" }, el("p", { class: "empty" }, "Loading…"));
  #deployments = el("div", { class: "content" }, el("p", { class: "empty" }, "Loading…"));
  #note = el("p", { class: "hint", hidden: true });
  #letters;
  /** @type {number | undefined} */ #timer;
  #shown = "";

  /** @param {ConsoleApi} api @param {(words: string) => void} announce Tells screen readers. */
  constructor(api, announce) {
    this.#api = api;
    this.#announce = announce;
    this.#letters = new DeadLetters(api, announce);
    this.element = el(
      "div",
      { class: "panels" },
      this.#problem,
      el("section", { class: "panel" }, el("header", {}, el("h3", {}, "Lanes")), this.#lanes, this.#note),
      el("section", { class: "panel" }, el("header", {}, el("h3", {}, "Deployments")), this.#deployments),
      this.#letters.element,
    );
  }

  start() {
    this.#letters.refresh();
    const again = async () => {
      if (!document.hidden) await this.refresh();
      if (this.#timer !== undefined) this.#timer = setTimeout(again, LIVE_MILLISECONDS);
    };
    this.#timer = setTimeout(again, 0);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Everything on this page, now. */
  async refreshAll() {
    await Promise.all([this.refresh(), this.#letters.refresh()]);
  }

  async refresh() {
    try {
      this.#show(await this.#api.operations());
      show(this.#problem, false);
    } catch (error) {
      setText(this.#problem, errorWords(error));
      show(this.#problem, true);
    }
  }

  /** @param {Operations} operations */
  #show(operations) {
    const now = JSON.stringify(operations);
    if (now === this.#shown) return; // What did not change keeps its focus.
    this.#shown = now;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.action : undefined;
    this.#lanes.replaceChildren(...(operations.canOperate ? [this.#renderLanes(operations.lanes)] : []));
    show(this.#note, !operations.canOperate);
    setText(
      this.#note,
      "This installation does not offer lane and deployment actions yet, so lanes cannot be shown or paused here. Deployments are shown as they are.",
    );
    const act = operations.canOperate ? (/** @type {any} */ one) => this.#drain(one) : null;
    this.#deployments.replaceChildren(renderDeployments(operations.deployments, act));
    if (focused) document.querySelector(/** @type {any} */ (`[data-action="${CSS.escape(focused)}"]`))?.focus();
  }

  /** @param {LaneState[]} lanes */
  #renderLanes(lanes) {
    const cards = lanes.map((lane) =>
      el(
        "li",
        { class: lane.paused ? "lane paused" : "lane" },
        el(
          "h4",
          {},
          lane.lane,
          el("span", { class: `chip ${lane.paused ? "warn" : "good"}` }, lane.paused ? "paused" : "open"),
        ),
        el(
          "dl",
          {},
          el("div", {}, el("dt", {}, "Waiting"), el("dd", {}, numberWords(lane.waiting))),
          el(
            "div",
            {},
            el("dt", {}, "Expected wait"),
            el("dd", {}, lane.expected_wait_seconds === null ? "not known" : secondsWords(lane.expected_wait_seconds)),
          ),
        ),
        el(
          "button",
          { type: "button", class: "action", "data-action": `lane-${lane.lane}`, onclick: () => this.#pause(lane) },
          lane.paused ? "Resume" : "Pause",
          el("span", { class: "visually-hidden" }, ` ${lane.lane}`),
        ),
      ),
    );
    return el("ul", { class: "lanes" }, ...cards);
  }

  /** @param {LaneState} lane */
  async #pause({ lane, paused }) {
    const text = `Turns of this lane wait until you resume it. Those that are being answered are finished.`;
    if (!paused && !(await confirmed(`Pause the lane ${lane}?`, text, "Pause"))) return;
    await this.#act(() => this.#api.pause(lane, !paused), `The lane ${lane} is ${paused ? "open again" : "paused"}.`);
  }

  /** @param {import("./api.js").DeploymentState} deployment */
  async #drain({ name, draining }) {
    const text = "It gets no new calls until you take it back. Calls under way are finished.";
    if (!draining && !(await confirmed(`Drain ${name}?`, text, "Drain"))) return;
    await this.#act(
      () => this.#api.drain(name, !draining),
      `${name} ${draining ? "takes calls again" : "is draining"}.`,
    );
  }

  /** @param {() => Promise<any>} action @param {string} done */
  async #act(action, done) {
    try {
      await action();
      this.#announce(done);
    } catch (error) {
      this.#announce(`That did not work. ${errorWords(error)}`);
      setText(this.#problem, `That did not work. ${errorWords(error)}`);
      show(this.#problem, true);
      return;
    }
    await this.refresh();
  }
}
