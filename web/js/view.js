/** The page around the turns: the log and its scrolling, the welcome, the banner and the confirmation. */

import { Announcer } from "./announcer.js";
import { byId, setText, show } from "./dom.js";
import { face } from "./icons.js";
import { MessageView } from "./message.js";
import { problemWords, waitingWords } from "./words.js";

/** @typedef {import("./turn.js").Turn} Turn */
/** @typedef {import("./message.js").Actions} Actions */

/** So close to the end, in CSS pixels, the log keeps following an answer that grows. */
const FOLLOW_DISTANCE_PIXELS = 80;
const ANNOUNCE_EVERY_MILLISECONDS = 2_000;
const ANNOUNCE_WAIT_EVERY_MILLISECONDS = 15_000;

export class View {
  #log = byId("log");
  #turns = byId("turns");
  #welcome = byId("welcome");
  #latest = byId("latest");
  #announcer = new Announcer(byId("announcements"));
  /** @type {Map<Turn, MessageView>} */
  #messages = new Map();
  /** Turns that changed since the last picture. @type {Set<Turn>} */
  #stale = new Set();
  #isFollowing = true;
  #announcedAt = 0;
  #announcedWait = "";
  /** Turns whose end was said, or that were over when they came. @type {WeakSet<Turn>} */
  #announcedEnds = new WeakSet();

  constructor() {
    byId("welcome-face").append(face());
    this.#log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#latest.addEventListener("click", () => {
      this.#toEnd("smooth");
      this.#log.focus({ preventScroll: true });
    });
    setInterval(() => this.#tick(), 1_000);
  }

  /** @param {string} text */
  say = (text) => this.#announcer.say(text);

  /** @param {Turn} turn @param {boolean} isNew @param {Actions} actions */
  add(turn, isNew, actions) {
    const message = new MessageView(turn, actions);
    message.element.classList.toggle("arriving", isNew);
    this.#messages.set(turn, message);
    this.#turns.append(message.element);
    this.#showWelcome(false);
    if (turn.isOver) this.#announcedEnds.add(turn);
    else this.#announcer.begin();
    this.#toEnd("instant");
  }

  /** Shows a change with the next picture; a hidden page shows it when it is seen again. @param {Turn} turn */
  change(turn) {
    this.#announce(turn);
    if (this.#stale.size === 0) requestAnimationFrame(() => this.#draw());
    this.#stale.add(turn);
  }

  empty() {
    this.#messages.clear();
    this.#stale.clear();
    this.#turns.replaceChildren();
    this.#showWelcome(true);
    show(this.#latest, false);
  }

  /** @param {boolean} isLoading The conversation is being fetched. */
  setLoading(isLoading) {
    show(byId("loading"), isLoading);
    this.#showWelcome(!isLoading && this.#messages.size === 0);
  }

  /** @param {boolean} isOpen Questions can be asked. */
  setOpen(isOpen) {
    show(byId("suggestions"), isOpen);
    if (!isOpen) this.setLoading(false);
  }

  /** @param {string} words What stands in the way of the whole page; "" for nothing. */
  setBanner(words) {
    setText(byId("banner-words"), words);
    show(byId("banner"), words !== "");
  }

  /** The welcome stands where there is no conversation that could be left. @param {boolean} visible */
  #showWelcome(visible) {
    show(this.#welcome, visible);
    show(byId("new-chat"), this.#messages.size > 0);
    show(byId("clear"), this.#messages.size > 0);
  }

  #draw() {
    for (const turn of this.#stale) this.#messages.get(turn)?.update();
    this.#stale.clear();
    if (this.#isFollowing) this.#toEnd("instant");
    else show(this.#latest, true);
  }

  #tick() {
    for (const [turn, message] of this.#messages) {
      message.tick();
      if (!turn.isOver) this.#announceWait(turn);
    }
  }

  /** @param {Turn} turn */
  #announce(turn) {
    if (this.#announcedEnds.has(turn)) return;
    if (turn.answer === "") this.#announcer.begin();
    if (turn.isOver) {
      this.#announcedEnds.add(turn);
      this.#announcer.follow(turn.answer, true);
      if (turn.phase === "succeeded") this.say("Answer complete.");
      else this.say(problemWords(turn.phase === "cancelled" ? { code: "cancelled", message: "" } : turn.problem));
    } else if (turn.answer && Date.now() - this.#announcedAt > ANNOUNCE_EVERY_MILLISECONDS) {
      this.#announcedAt = Date.now();
      this.#announcer.follow(turn.answer, false);
    } else this.#announceWait(turn);
  }

  /** Says what a turn waits for: at once when it begins to wait, and now and then while it goes on. @param {Turn} turn */
  #announceWait(turn) {
    const kind = [turn.phase, turn.pause?.reason, turn.place === null, turn.restarted, turn.stopping].join();
    const isNews = kind !== this.#announcedWait;
    if (!isNews && Date.now() - this.#announcedAt < ANNOUNCE_WAIT_EVERY_MILLISECONDS) return;
    if (!isNews && turn.phase === "answering" && !turn.pause) return;
    this.#announcedWait = kind;
    this.#announcedAt = Date.now();
    this.say(waitingWords(turn, Date.now()));
  }

  #scrolled() {
    const distance = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight;
    this.#isFollowing = distance < FOLLOW_DISTANCE_PIXELS;
    if (this.#isFollowing) show(this.#latest, false);
  }

  /** @param {ScrollBehavior} behavior */
  #toEnd(behavior) {
    this.#isFollowing = true;
    this.#log.scrollTo({ top: this.#log.scrollHeight, behavior });
  }
}

/**
 * Asks before something is lost.
 * @returns {Promise<boolean>}
 */
export function confirmClearing() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("confirm"));
  dialog.returnValue = "";
  dialog.showModal();
  byId("confirm-cancel").onclick = () => dialog.close();
  byId("confirm-clear").onclick = () => dialog.close("clear");
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "clear"), { once: true });
  });
}
