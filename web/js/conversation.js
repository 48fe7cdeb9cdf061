/** The conversation: its turns, the one under way, and everything a person can do with them. */

import { ApiError } from "./api.js";
import { follow } from "./follow.js";
import { randomId } from "./random.js";
import { Turn } from "./turn.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./api.js").Rating} Rating */
/** @typedef {import("./storage.js").Storage} Storage */
/** @typedef {import("./turn.js").Pause} Pause */
/**
 * @typedef {object} Listener Hears of every change, after it happened.
 * @property {(turn: Turn, isNew: boolean) => void} added `isNew` is false for history.
 * @property {(turn: Turn) => void} changed
 * @property {() => void} emptied
 */

const SAVE_EVERY_MILLISECONDS = 500;
/** How long a stop waits for the server to name the turn before it lets go. */
const STOP_PATIENCE_MILLISECONDS = 5_000;

export class Conversation {
  /** @type {Turn[]} */
  turns = [];

  #api;
  #storage;
  #listener;
  /** @type {Map<Turn, AbortController>} */
  #running = new Map();
  /** Ends the pauses under way. @type {Set<() => void>} */
  #wakers = new Set();
  #savedAt = 0;

  /**
   * @param {Api} api
   * @param {Storage} storage
   * @param {Listener} listener
   */
  constructor(api, storage, listener) {
    this.#api = api;
    this.#storage = storage;
    this.#listener = listener;
  }

  /** The turn under way, if there is one. */
  get active() {
    return this.turns.findLast((turn) => !turn.isOver) ?? null;
  }

  /**
   * Shows the session's history and takes up the turn that a reload interrupted. What is shown already is replaced,
   * and a turn under way goes on where it is, just as after a reload.
   * @throws {ApiError | TypeError} The history could not be had; calling again is safe.
   */
  async load() {
    const sessionId = this.#storage.sessionId;
    const records = sessionId ? await this.#api.history(sessionId).catch((error) => unlessGone(error) ?? []) : [];
    if (this.active) this.save();
    if (this.turns.length > 0) this.#abandon();
    const turns = records.map((record) => Turn.fromHistory(record));
    const saved = this.#storage.turn;
    if (saved && (saved.sessionId ?? sessionId) === sessionId) {
      const index = turns.findIndex((turn) => turn.turnId === saved.turnId && saved.turnId !== null);
      if (index === -1) turns.push(Turn.resume(saved));
      else if (!turns[index].isOver) turns[index] = Turn.resume(saved);
    }
    this.turns = turns;
    for (const turn of turns) {
      turn.sessionId ??= sessionId;
      this.#listener.added(turn, false);
      if (!turn.isOver) this.#run(turn);
    }
    if (!this.active) this.#storage.turn = null;
    if (turns.length === 0) this.#storage.sessionId = null; // Its retention time is over.
  }

  /** @param {string} question */
  ask(question) {
    const turn = new Turn(question, randomId());
    turn.sessionId = this.#storage.sessionId;
    this.turns.push(turn);
    this.#listener.added(turn, true);
    this.#run(turn);
  }

  /** Ends the turn under way; the text it has stays. */
  async stop() {
    const turn = this.active;
    if (!turn || turn.stopping) return;
    turn.stopping = true;
    if (!turn.turnId && turn.pause) return this.#letGo(turn);
    this.#listener.changed(turn);
    if (turn.turnId) return this.#cancel(turn);
    setTimeout(() => turn.turnId ?? this.#letGo(turn), STOP_PATIENCE_MILLISECONDS);
  }

  /** Ends every pause now, because the person asked for it or the network is back. */
  wake() {
    for (const wake of this.#wakers) wake();
  }

  /** Leaves this session, which the server keeps until its retention time, and begins an empty one. */
  startNew() {
    for (const { turnId } of this.#running.keys()) {
      // Only saves the server work that nobody waits for any more: if it fails, nothing is lost.
      if (turnId) this.#api.cancel(turnId).catch(() => {});
    }
    this.#storage.sessionId = null;
    this.#storage.turn = null;
    this.#abandon();
  }

  /** Deletes this session on the server, then begins an empty one. */
  async clear() {
    const sessionId = this.#storage.sessionId;
    if (sessionId) await this.#api.forget(sessionId).catch(unlessGone);
    this.startNew();
  }

  /** @param {Turn} turn @param {Rating} rating @param {string} [comment] */
  async rate(turn, rating, comment) {
    const before = turn.rating;
    turn.rating = rating;
    this.#listener.changed(turn);
    try {
      await this.#api.rate(/** @type {string} */ (turn.turnId), rating, comment);
    } catch (error) {
      turn.rating = before;
      this.#listener.changed(turn);
      throw error;
    }
  }

  /** Fetches what the history leaves out: where the time went. @param {Turn} turn */
  async loadTimeline(turn) {
    const record = await this.#api.turn(/** @type {string} */ (turn.turnId));
    turn.timeline = record.timeline ?? { total_ms: 0, stages: [] };
    this.#listener.changed(turn);
  }

  /** Remembers the turn under way, so that a reload continues it. */
  save() {
    this.#savedAt = Date.now();
    this.#storage.turn = this.active?.save() ?? null;
  }

  /** @param {Turn} turn */
  async #run(turn) {
    const controller = new AbortController();
    const { signal } = controller;
    this.#running.set(turn, controller);
    this.save();
    for await (const event of follow(turn, {
      api: this.#api,
      signal,
      wait: (pause) => this.#pause(turn, pause, signal),
    })) {
      if (signal.aborted) return; // Settled meanwhile: what was under way counts no more.
      turn.apply(event, Date.now());
      if (event.type === "accepted") this.#accepted(turn);
      if (turn.isOver || Date.now() - this.#savedAt > SAVE_EVERY_MILLISECONDS) this.save();
      this.#listener.changed(turn);
    }
    this.#running.delete(turn);
  }

  /** @param {Turn} turn */
  #accepted(turn) {
    this.#storage.sessionId = turn.sessionId;
    this.save();
    if (turn.stopping) this.#cancel(turn);
  }

  /** @param {Turn} turn */
  async #cancel(turn) {
    try {
      const record = await this.#api.cancel(/** @type {string} */ (turn.turnId));
      turn.settle(record);
      if (turn.isOver) this.#letGo(turn);
      else this.#listener.changed(turn); // The stream will bring the end.
    } catch {
      this.#letGo(turn); // Unreachable, or gone: for this page the turn is over either way.
    }
  }

  /** Follows and shows nothing any more. */
  #abandon() {
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
    this.turns = [];
    this.#listener.emptied();
  }

  /** Stops following. @param {Turn} turn */
  #letGo(turn) {
    this.#running.get(turn)?.abort();
    this.#running.delete(turn);
    if (!turn.isOver) turn.fail({ code: "cancelled", message: "Stopped by the person." });
    this.save();
    this.#listener.changed(turn);
  }

  /**
   * @param {Turn} turn
   * @param {Pause} pause
   * @param {AbortSignal} signal
   */
  async #pause(turn, pause, signal) {
    turn.pause = pause;
    this.save();
    this.#listener.changed(turn);
    await new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#wakers.delete(end);
        resolve(undefined);
      };
      const timer = setTimeout(end, pause.until - Date.now());
      this.#wakers.add(end);
      signal.addEventListener("abort", end, { once: true });
    });
    turn.pause = null;
    if (!signal.aborted) this.#listener.changed(turn);
  }
}

/** Accepts that something is not there. @param {unknown} error @returns {undefined} */
function unlessGone(error) {
  if (!(error instanceof ApiError) || error.status !== 404) throw error;
}
