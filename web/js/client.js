/** Sends requests with the access key, and again with another one for as long as the key is refused. */

/** @typedef {import("./credentials.js").Credentials} Credentials */
/** @typedef {{code: string, message: string, turn_id?: string, retry_after_ms?: number}} Problem */
/** @typedef {{method?: string, headers?: Record<string, string>, body?: object, signal?: AbortSignal, keepalive?: boolean}} RequestOptions */

/** Errors that are the end of a turn, whatever the status they come with. */
const FINAL_CODES = new Set([
  "content_filtered",
  "deadline_exceeded",
  "model_failed",
  "model_refused",
  "unreadable_answer",
]);

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

export class Client {
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
   * Sends a request, and again with another key for as long as the key is refused.
   * @param {string} path
   * @param {RequestOptions} [options]
   * @returns {Promise<Response>}
   */
  async request(path, { headers, body, signal, ...options } = {}) {
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
