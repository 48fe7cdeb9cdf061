/** Follows one turn to its end over as many connections as it takes. */

import { ApiError } from "./api.js";
import { randomId } from "./random.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./api.js").TurnEvent} TurnEvent */
/** @typedef {import("./turn.js").Turn} Turn */
/** @typedef {import("./turn.js").Pause} Pause */
/** @typedef {(pause: Pause, signal: AbortSignal) => Promise<void>} Wait */

const FIRST_PAUSE_MILLISECONDS = 500;
const LONGEST_PAUSE_MILLISECONDS = 15_000;
/** A refusal that asks for a longer wait is given back to the person, who may have other plans by then. */
const LONGEST_REFUSAL_MILLISECONDS = 120_000;
/** A connection that held so long was good, even if nothing happened on it. */
const GOOD_CONNECTION_MILLISECONDS = 5_000;
/** A question, or the rest of an answer, that was refused more often in a row is given up. */
const MAX_REFUSALS = { question: 3, rest: 8 };

/**
 * Asks, streams, and after every interruption continues where the stream ended, until the turn is over or the signal
 * says so. The caller applies each event to the turn before it takes the next one.
 *
 * @param {Turn} turn
 * @param {{api: Api, signal: AbortSignal, wait: Wait, random?: () => number}} tools `wait` shows a pause and returns
 *   when it is over.
 * @returns {AsyncGenerator<TurnEvent, void, void>} Ends after `done` or `error`.
 */
export async function* follow(turn, { api, signal, wait, random = Math.random }) {
  let failures = 0;
  let refusals = 0;
  let firstPause = FIRST_PAUSE_MILLISECONDS;
  while (!signal.aborted) {
    const connection = new Connection();
    /** @type {ApiError | null} */
    let refusal = null;
    try {
      yield* connection.relay(open(turn, api, signal));
      if (connection.isFinal) return;
    } catch (error) {
      if (signal.aborted) return;
      refusal = refusalIn(error);
    }
    if (connection.wasGood && !refusal) failures = refusals = 0;
    if (refusal && (!isWorthWaiting(refusal) || ++refusals > MAX_REFUSALS[turn.turnId ? "rest" : "question"])) {
      yield { type: "error", data: { error: refusal.problem }, id: "" };
      return;
    }
    // A turn refused for want of capacity was never begun; what comes next is a new request.
    if (refusal?.status === 429 && !turn.turnId) turn.idempotencyKey = randomId();
    if (connection.wasGood && connection.last === "continue") continue;
    firstPause = connection.retryMilliseconds ?? firstPause;
    const pauseMilliseconds = pauseFor(
      refusal,
      Math.min(LONGEST_PAUSE_MILLISECONDS, firstPause * 2 ** failures++),
      random(),
    );
    const reason = refusal ? "refused" : navigator.onLine ? "lost" : "offline";
    await wait({ reason, problem: refusal?.problem ?? null, until: Date.now() + pauseMilliseconds }, signal);
  }
}

/**
 * @param {Turn} turn
 * @param {Api} api
 * @param {AbortSignal} signal
 */
function open(turn, api, signal) {
  if (turn.turnId) return api.resume(turn.turnId, turn.lastEventId, signal);
  return api.ask({ text: turn.question, sessionId: turn.sessionId, idempotencyKey: turn.idempotencyKey }, signal);
}

/** What the server refused, or null when the network failed. @param {unknown} error @returns {ApiError | null} */
function refusalIn(error) {
  if (error instanceof ApiError) return error;
  if (error instanceof SyntaxError) return new ApiError(502, { code: "unreadable_answer", message: error.message });
  return null;
}

/** @param {ApiError} refusal */
function isWorthWaiting({ isTemporary, problem }) {
  return isTemporary && (problem.retry_after_ms ?? 0) <= LONGEST_REFUSAL_MILLISECONDS;
}

/**
 * How long to wait: never shorter than the server asked, and spread, so that many pages do not return in one moment.
 * @param {ApiError | null} refusal
 * @param {number} longest Milliseconds, when the server asked for nothing.
 * @param {number} random From 0 to 1.
 */
function pauseFor(refusal, longest, random) {
  const asked = refusal?.problem.retry_after_ms;
  return asked === undefined ? longest * (0.5 + random / 2) : asked + random * Math.min(asked * 0.2, 3_000);
}

/** One connection of a turn, and what can be said of it afterwards. */
class Connection {
  last = "";
  /** @type {number | undefined} */ retryMilliseconds;
  #begun = Date.now();
  #progressed = false;

  get isFinal() {
    return this.last === "done" || this.last === "error";
  }

  get wasGood() {
    return this.#progressed || Date.now() - this.#begun > GOOD_CONNECTION_MILLISECONDS;
  }

  /**
   * Passes events on until the connection ends or the server says that it is over.
   * @param {AsyncGenerator<TurnEvent, number | undefined, void>} events
   * @returns {AsyncGenerator<TurnEvent, void, void>}
   */
  async *relay(events) {
    for (;;) {
      const { done, value } = await events.next();
      if (done) {
        this.retryMilliseconds = value ?? undefined;
        return;
      }
      yield value;
      this.last = value.type;
      if (this.isFinal || value.type === "continue") {
        await events.return(undefined);
        return;
      }
      this.#progressed = true;
    }
  }
}
