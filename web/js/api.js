/** Spillway's HTTP contract: one function per route the page uses. Nothing else in the page knows an address. */

import { ApiError, Client, retryAfterMilliseconds } from "./client.js";
import { readEvents } from "./sse.js";

export { ApiError, retryAfterMilliseconds };

/** @typedef {import("./credentials.js").Credentials} Credentials */
/** @typedef {{id: string, title: string, url?: string}} Citation */
/** @typedef {{name: string, start_ms: number, duration_ms: number, estimated?: boolean}} Stage */
/** @typedef {Stage & {part_of?: string, critical?: boolean}} Step A step of the context, from when the context began. */
/** @typedef {{total_ms: number, stages: Stage[], steps?: Step[], cold_start?: boolean}} Timeline */
/** @typedef {import("./client.js").Problem} Problem */
/** @typedef {import("./client.js").RequestOptions} RequestOptions */
/** @typedef {"up" | "down"} Rating */
/**
 * @typedef {object} TurnRecord A turn as the server tells it.
 * @property {string} turn_id
 * @property {string} [session_id]
 * @property {"accepted"|"queued"|"running"|"deferred"|"succeeded"|"failed"|"expired"|"cancelled"} state
 * @property {string} [question] Only in a session's history.
 * @property {string} [answer]
 * @property {string} [finish_reason]
 * @property {Citation[]} [citations]
 * @property {Timeline} [timeline]
 * @property {Problem} [error]
 * @property {Rating} [rating]
 */
/** @typedef {{type: string, data: any, id: string}} TurnEvent */
/** @typedef {{text: string, sessionId: string | null, idempotencyKey: string}} Question */

/** A person who presses stop does not wait longer for the server to confirm it. */
const CANCEL_PATIENCE_MILLISECONDS = 5_000;

export class Api {
  #client;

  /**
   * @param {URL} base Address of the API, with a slash at its end.
   * @param {Credentials} credentials
   */
  constructor(base, credentials) {
    this.#client = new Client(base, credentials);
  }

  /**
   * Asks a question. Repeating it with the same idempotency key is safe: it is answered once.
   * @param {Question} question
   * @param {AbortSignal} signal
   */
  ask({ text, sessionId, idempotencyKey }, signal) {
    const body = { message: text, ...(sessionId ? { session_id: sessionId } : {}) };
    const headers = { "idempotency-key": idempotencyKey, "x-spillway-sent-at": moment() };
    return this.#stream("chat", { method: "POST", body, headers, signal });
  }

  /**
   * The events of a turn after `lastEventId`; all of them when it is "".
   * @param {string} turnId
   * @param {string} lastEventId
   * @param {AbortSignal} signal
   */
  resume(turnId, lastEventId, signal) {
    /** @type {Record<string, string>} */
    const headers = lastEventId === "" ? {} : { "last-event-id": lastEventId };
    return this.#stream(`chat/${encodeURIComponent(turnId)}/stream`, { headers, signal });
  }

  /** @param {string} turnId @returns {Promise<TurnRecord>} */
  async turn(turnId) {
    return (await this.#client.request(`chat/${encodeURIComponent(turnId)}`)).json();
  }

  /** @param {string} turnId @returns {Promise<TurnRecord>} */
  async cancel(turnId) {
    const signal = AbortSignal.timeout(CANCEL_PATIENCE_MILLISECONDS);
    return (
      await this.#client.request(`chat/${encodeURIComponent(turnId)}`, { method: "DELETE", keepalive: true, signal })
    ).json();
  }

  /** @param {string} turnId @param {Rating} rating @param {string} [comment] */
  async rate(turnId, rating, comment) {
    const body = { rating, ...(comment ? { comment } : {}) };
    await this.#client.request(`chat/${encodeURIComponent(turnId)}/feedback`, { method: "POST", body });
  }

  /** The turns of a session, oldest first. @param {string} sessionId @returns {Promise<TurnRecord[]>} */
  async history(sessionId) {
    return (await (await this.#client.request(`sessions/${encodeURIComponent(sessionId)}`)).json()).turns;
  }

  /** @param {string} sessionId */
  async forget(sessionId) {
    await this.#client.request(`sessions/${encodeURIComponent(sessionId)}`, { method: "DELETE" });
  }

  /**
   * @param {string} path
   * @param {RequestOptions} options
   * @returns {AsyncGenerator<TurnEvent, number | undefined, void>} Returns the reconnection time the server asked for.
   */
  async *#stream(path, options) {
    const response = await this.#client.request(path, {
      ...options,
      headers: { ...options.headers, accept: "text/event-stream" },
    });
    const kind = response.headers.get("content-type") ?? "";
    if (!response.body || !kind.startsWith("text/event-stream")) {
      throw new ApiError(502, { code: "unavailable", message: `Expected an event stream, got "${kind}".` });
    }
    /** @type {number | undefined} */
    let retryMilliseconds;
    for await (const { type, data, id } of readEvents(response.body, {
      onRetry: (wish) => (retryMilliseconds = wish),
    })) {
      yield { type, data: JSON.parse(data), id };
    }
    return retryMilliseconds;
  }
}

/** This moment for the server's timeline: milliseconds since 1970, finer than the wall clock alone tells it. */
function moment() {
  return (performance.timeOrigin + performance.now()).toFixed(3);
}
