/** Spillway's HTTP contract: one function per route the page uses. Nothing else in the page knows an address. */

import { readEvents } from "./sse.js";

/** @typedef {import("./credentials.js").Credentials} Credentials */
/** @typedef {{id: string, title: string, url?: string}} Citation */
/** @typedef {{name: string, start_ms: number, duration_ms: number, estimated?: boolean}} Stage */
/** @typedef {Stage & {part_of?: string, critical?: boolean}} Step A step of the context, from when the context began. */
/** @typedef {{total_ms: number, stages: Stage[], steps?: Step[], cold_start?: boolean}} Timeline */
/** @typedef {{code: string, message: string, turn_id?: string, retry_after_ms?: number}} Problem */
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

/** Errors that are the end of a turn, whatever the status they come with. */
const FINAL_CODES = new Set([
  "content_filtered",
  "deadline_exceeded",
  "model_failed",
  "model_refused",
  "unreadable_answer",
]);

/** A person who presses stop does not wait longer for the server to confirm it. */
const CANCEL_PATIENCE_MILLISECONDS = 5_000;

/** The server answered, and the answer is a refusal or a fault. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {Problem} problem
   */
  constructor(status, problem) {
    super(problem.message);
    this.status = status;
    this.problem = problem;
  }

  /** True when the same request can succeed later. */
  get isTemporary() {
    const isPassing = this.status === 429 || this.status === 408 || this.status >= 500;
    return isPassing && !FINAL_CODES.has(this.problem.code);
  }
}

export class Api {
  #base;
  #credentials;

  /**
   * @param {URL} base Address of the API, with a slash at its end.
   * @param {Credentials} credentials
   */
  constructor(base, credentials) {
    this.#base = base;
    this.#credentials = credentials;
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
    return (await this.#request(`chat/${encodeURIComponent(turnId)}`)).json();
  }

  /** @param {string} turnId @returns {Promise<TurnRecord>} */
  async cancel(turnId) {
    const signal = AbortSignal.timeout(CANCEL_PATIENCE_MILLISECONDS);
    return (
      await this.#request(`chat/${encodeURIComponent(turnId)}`, { method: "DELETE", keepalive: true, signal })
    ).json();
  }

  /** @param {string} turnId @param {Rating} rating @param {string} [comment] */
  async rate(turnId, rating, comment) {
    const body = { rating, ...(comment ? { comment } : {}) };
    await this.#request(`chat/${encodeURIComponent(turnId)}/feedback`, { method: "POST", body });
  }

  /** The turns of a session, oldest first. @param {string} sessionId @returns {Promise<TurnRecord[]>} */
  async history(sessionId) {
    return (await (await this.#request(`sessions/${encodeURIComponent(sessionId)}`)).json()).turns;
  }

  /** @param {string} sessionId */
  async forget(sessionId) {
    await this.#request(`sessions/${encodeURIComponent(sessionId)}`, { method: "DELETE" });
  }

  /**
   * @param {string} path
   * @param {RequestOptions} options
   * @returns {AsyncGenerator<TurnEvent, number | undefined, void>} Returns the reconnection time the server asked for.
   */
  async *#stream(path, options) {
    const response = await this.#request(path, {
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

  /** @typedef {{method?: string, headers?: Record<string, string>, body?: object, signal?: AbortSignal, keepalive?: boolean}} RequestOptions */

  /**
   * Sends a request, and again with another key for as long as the key is refused.
   * @param {string} path
   * @param {RequestOptions} [options]
   * @returns {Promise<Response>}
   */
  async #request(path, { headers, body, signal, ...options } = {}) {
    for (;;) {
      const key = await this.#credentials.key(signal);
      const response = await fetch(new URL(path, this.#base), {
        ...options,
        signal,
        cache: "no-store",
        credentials: "same-origin",
        headers: { ...headers, "x-functions-key": key, ...(body ? { "content-type": "application/json" } : {}) },
        body: body && JSON.stringify(body),
      });
      if (response.ok) return response;
      const error = new ApiError(response.status, await readProblem(response));
      if (response.status !== 401 && response.status !== 403) throw error;
      this.#credentials.refuse(key, error.problem);
    }
  }
}

/** @param {Response} response @returns {Promise<Problem>} */
async function readProblem(response) {
  const body = await response.text();
  const retryAfter = retryAfterMilliseconds(response.headers.get("retry-after"), Date.now());
  /** @type {Problem} */
  let problem = { code: codeOf(response.status), message: `The server answered ${response.status}.` };
  try {
    problem = { ...problem, ...JSON.parse(body).error };
  } catch {
    // A proxy in between may answer with a page of its own; the status says enough.
  }
  return retryAfter === undefined ? problem : { retry_after_ms: retryAfter, ...problem };
}

/** @param {number} status */
function codeOf(status) {
  const codes = new Map([
    [400, "invalid_request"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "turn_not_found"],
    [413, "request_too_large"],
    [429, "capacity_exhausted"],
  ]);
  return codes.get(status) ?? "unavailable";
}

/**
 * Reads a Retry-After header: seconds or an HTTP date (RFC 9110, section 10.2.3).
 * @param {string | null} value
 * @param {number} now Milliseconds since 1970.
 * @returns {number | undefined} Milliseconds from now, never negative.
 */
export function retryAfterMilliseconds(value, now) {
  if (!value) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  // Date.parse takes nearly anything for a date; HTTP dates begin with the day of the week.
  const date = /^\w+, /.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** This moment for the server's timeline: milliseconds since 1970, finer than the wall clock alone tells it. */
function moment() {
  return (performance.timeOrigin + performance.now()).toFixed(3);
}
