/** One turn as the page knows it, and how the server's events change it. Pure: no network, no clock, no document. */

/** @typedef {import("./api.js").TurnRecord} TurnRecord */
/** @typedef {import("./api.js").TurnEvent} TurnEvent */
/** @typedef {import("./api.js").Citation} Citation */
/** @typedef {import("./api.js").Timeline} Timeline */
/** @typedef {import("./api.js").Problem} Problem */
/** @typedef {import("./api.js").Rating} Rating */
/** @typedef {import("./storage.js").SavedTurn} SavedTurn */
/** @typedef {"sending"|"working"|"queued"|"answering"|"succeeded"|"failed"|"expired"|"cancelled"} Phase */
/** @typedef {{reason: "refused" | "lost" | "offline", problem: Problem | null, until: number}} Pause `until` is in milliseconds since 1970. */

const TERMINAL = new Set(["succeeded", "failed", "expired", "cancelled"]);

export class Turn {
  /** @type {string | null} */ turnId = null;
  /** @type {string | null} */ sessionId = null;
  /** @type {Phase} */ phase = "sending";
  /** The page asked for the end and waits for it. */ stopping = false;
  /** An earlier attempt was dropped; the answer started anew. */ restarted = false;
  /** Waiting to connect again. @type {Pause | null} */ pause = null;
  /** @type {number | null} */ place = null;
  /** When the answer is expected to begin, in milliseconds since 1970. @type {number | null} */ expectedAt = null;
  lastEventId = "";
  answer = "";
  /** @type {string | null} */ finishReason = null;
  /** @type {Citation[]} */ citations = [];
  /** @type {Timeline | null} */ timeline = null;
  /** @type {Problem | null} */ problem = null;
  /** @type {Rating | null} */ rating = null;

  /** @param {string} question @param {string} idempotencyKey */
  constructor(question, idempotencyKey) {
    this.question = question;
    this.idempotencyKey = idempotencyKey;
  }

  get isOver() {
    return TERMINAL.has(this.phase);
  }

  /**
   * Changes the turn as an event says. Unknown events change nothing, so that a newer server can send more.
   * @param {TurnEvent} event
   * @param {number} now Milliseconds since 1970.
   */
  apply({ type, data, id }, now) {
    this.pause = null;
    if (id) this.lastEventId = id;
    if (type === "accepted") {
      this.turnId = data.turn_id;
      this.sessionId = data.session_id;
      if (this.phase === "sending") this.phase = data.path === "queued" ? "queued" : "working";
    } else if (type === "queued") {
      this.phase = "queued";
      this.place = data.place;
      this.expectedAt = now + data.expected_wait_seconds * 1000;
    } else if (type === "delta") {
      this.phase = "answering";
      this.answer += data.text;
    } else if (type === "restart") {
      this.phase = "working";
      this.answer = "";
      this.restarted = true;
    } else if (type === "done") {
      this.settle(data);
    } else if (type === "error") {
      this.fail(data.error);
    }
  }

  /** @param {TurnRecord} record A turn as the server tells it; text the page has is kept when the record has none. */
  settle(record) {
    this.turnId = record.turn_id;
    // What the server stored of a turn that was cut short can lag behind what it streamed.
    const isWhole = record.state === "succeeded" || (record.answer ?? "").length > this.answer.length;
    if (record.answer != null && isWhole) this.answer = record.answer;
    this.finishReason = record.finish_reason ?? null;
    this.citations = record.citations ?? [];
    this.timeline = record.timeline ?? null;
    this.rating = record.rating ?? this.rating;
    this.problem = record.error ?? null;
    this.pause = null;
    this.phase = TERMINAL.has(record.state) ? /** @type {Phase} */ (record.state) : "working";
  }

  /** @param {Problem} problem */
  fail(problem) {
    this.problem = problem;
    this.pause = null;
    this.phase =
      problem.code === "cancelled" ? "cancelled" : problem.code === "deadline_exceeded" ? "expired" : "failed";
  }

  /** @returns {SavedTurn} */
  save() {
    const { question, idempotencyKey, sessionId, turnId, lastEventId, answer } = this;
    return { question, idempotencyKey, sessionId, turnId, lastEventId, answer };
  }

  /** @param {SavedTurn} saved */
  static resume(saved) {
    const turn = new Turn(saved.question, saved.idempotencyKey);
    Object.assign(turn, saved);
    turn.phase = saved.answer ? "answering" : saved.turnId ? "working" : "sending";
    return turn;
  }

  /** @param {TurnRecord} record One entry of a session's history. */
  static fromHistory(record) {
    const turn = new Turn(record.question ?? "", "");
    turn.settle(record);
    // An unfinished answer comes again from the start of its stream; keeping the part would double it.
    if (!turn.isOver) turn.answer = "";
    return turn;
  }
}
