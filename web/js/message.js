/** One turn on the page: the question, what happens to it, the answer and what can be done with it. */

import { CopyButton } from "./copy.js";
import { el, setText, show } from "./dom.js";
import { FeedbackView } from "./feedback.js";
import { face, icon } from "./icons.js";
import { MarkdownView } from "./markdown.js";
import { SourcesView } from "./sources.js";
import { TimelineView } from "./timeline.js";
import { noteWords, problemWords, secondsWords, waitingWords } from "./words.js";

/** @typedef {import("./turn.js").Turn} Turn */
/** @typedef {import("./api.js").Rating} Rating */
/**
 * @typedef {object} Actions What a person can ask for.
 * @property {(turn: Turn) => void} retry
 * @property {() => void} wake
 * @property {(turn: Turn, rating: Rating, comment?: string) => Promise<void>} rate
 * @property {(turn: Turn) => Promise<void>} loadTimeline
 * @property {(text: string) => void} say
 */

export class MessageView {
  #turn;
  #answer = new MarkdownView();
  #waiting = el("span", { class: "words" });
  #wakeButton;
  #status;
  #problem = el("p", { class: "problem", hidden: true });
  #note = el("p", { class: "note", hidden: true });
  #sources = new SourcesView();
  #copyButton;
  #retryButton;
  #feedback;
  #tools;
  #timeline;
  /** When asking again makes sense, in milliseconds since 1970; 0 before the turn failed. */
  #retryAt = 0;

  /** @param {Turn} turn @param {Actions} actions */
  constructor(turn, actions) {
    this.#turn = turn;
    this.#wakeButton = el(
      "button",
      { type: "button", class: "plain", hidden: true, onclick: () => actions.wake() },
      "Try now",
    );
    this.#status = el(
      "p",
      { class: "status" },
      el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")),
      this.#waiting,
      this.#wakeButton,
    );
    this.#copyButton = new CopyButton(() => turn.answer, actions.say);
    this.#retryButton = el(
      "button",
      { type: "button", class: "tool", onclick: () => actions.retry(turn) },
      icon("retry"),
      el("span", { class: "words" }, "Ask again"),
    );
    this.#feedback = new FeedbackView((rating, comment) => actions.rate(turn, rating, comment), actions.say);
    this.#timeline = new TimelineView(() => actions.loadTimeline(turn));
    this.#tools = el(
      "div",
      { class: "tools", role: "group", "aria-label": "This answer" },
      this.#copyButton.element,
      this.#feedback.buttons,
      this.#retryButton,
    );
    this.element = el(
      "article",
      { class: "turn" },
      el("h2", { class: "visually-hidden" }, "You asked"),
      el("div", { class: "question" }, turn.question),
      el("h2", { class: "visually-hidden" }, "WallEGPT answered"),
      el(
        "div",
        { class: "answer" },
        face(),
        el(
          "div",
          { class: "body" },
          this.#answer.element,
          this.#status,
          this.#problem,
          this.#note,
          this.#sources.element,
          this.#tools,
          this.#feedback.form,
          this.#timeline.element,
        ),
      ),
    );
    this.update();
  }

  /** Shows the turn as it is now. */
  update() {
    const turn = this.#turn;
    const { isOver, phase } = turn;
    this.element.dataset.phase = turn.pause ? "paused" : phase;
    this.element.setAttribute("aria-busy", String(!isOver));
    this.#answer.show(turn.answer, !isOver);
    show(this.#answer.element, turn.answer !== "");
    const isBroken = phase === "failed" || phase === "expired";
    if (isBroken && this.#retryAt === 0) this.#retryAt = Date.now() + (turn.problem?.retry_after_ms ?? 0);
    show(this.#problem, isBroken);
    if (isBroken) setText(this.#problem, problemWords(turn.problem));
    const note = noteWords(turn);
    show(this.#note, note !== "");
    setText(this.#note, note);
    this.#sources.show(isOver ? turn.citations : []);
    show(this.#tools, isOver);
    this.#copyButton.setVisible(turn.answer !== "");
    this.#retryButton.classList.toggle("prominent", phase !== "succeeded");
    this.#feedback.update(turn.rating, phase === "succeeded");
    this.#timeline.update(turn.timeline, phase === "succeeded" && turn.turnId !== null);
    this.tick();
  }

  /** Shows what changes with time alone: places, countdowns. Called once a second, and after every change. */
  tick() {
    const now = Date.now();
    const waiting = this.#turn.isOver ? "" : waitingWords(this.#turn, now);
    show(this.#status, waiting !== "");
    setText(this.#waiting, waiting);
    show(this.#wakeButton, this.#turn.pause !== null && this.#turn.pause.reason !== "refused" && !this.#turn.stopping);
    const seconds = Math.ceil((this.#retryAt - now) / 1000);
    this.#retryButton.disabled = seconds > 0;
    setText(
      /** @type {Node} */ (this.#retryButton.lastChild),
      seconds > 0 ? `Ask again in ${secondsWords(seconds)}` : "Ask again",
    );
  }
}
