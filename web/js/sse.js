/**
 * Server-sent events from a fetch() body, as the WHATWG HTML standard parses them (section 9.2.6).
 * EventSource cannot be used: it can neither POST nor send a key.
 */

/**
 * @typedef {object} ServerEvent
 * @property {string} type Event name; "message" when the server gave none.
 * @property {string} data All data lines, joined by line feeds.
 * @property {string} id The last event id at this point of the stream, "" before the first one.
 */

/** An event that grows past this many characters is an error of the server, not an answer. */
const MAX_EVENT_CHARACTERS = 1_000_000;

/** Turns text, cut anywhere, into events. */
export class EventStreamParser {
  /** Milliseconds the server asked to wait before reconnecting, when it did. @type {number | undefined} */
  retryMilliseconds;

  #line = "";
  #afterCarriageReturn = false;
  /** @type {string[]} */
  #data = [];
  #dataCharacters = 0;
  #type = "";
  #id = "";

  /**
   * Takes the next piece of the stream.
   * @param {string} text
   * @returns {ServerEvent[]} The events that this piece completed.
   */
  push(text) {
    if (this.#afterCarriageReturn && text.startsWith("\n")) text = text.slice(1);
    else if (text === "") return [];
    this.#afterCarriageReturn = text.endsWith("\r");
    const lines = text.split(/\r\n|\n|\r/);
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop() ?? "";
    const events = lines.flatMap((line) => this.#take(line) ?? []);
    if (this.#line.length + this.#dataCharacters > MAX_EVENT_CHARACTERS) throw new Error("The event is too large.");
    return events;
  }

  /** @param {string} line @returns {ServerEvent | undefined} */
  #take(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") {
      this.#data.push(value);
      this.#dataCharacters += value.length + 1;
    } else if (field === "event") this.#type = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.retryMilliseconds = Number(value);
  }

  /** @returns {ServerEvent | undefined} */
  #dispatch() {
    const event = { type: this.#type || "message", data: this.#data.join("\n"), id: this.#id };
    const isEmpty = this.#data.length === 0;
    this.#data = [];
    this.#dataCharacters = 0;
    this.#type = "";
    return isEmpty ? undefined : event;
  }
}

/**
 * The events of a response body until it ends. An event that the end cuts off is dropped, as the standard says.
 * @param {ReadableStream<Uint8Array>} body
 * @param {{silenceMilliseconds?: number, onRetry?: (milliseconds: number) => void}} [options] A body that brings not
 *   even a comment for so long is given up; `onRetry` hears of the server's wish for the reconnection time.
 * @returns {AsyncGenerator<ServerEvent, void, void>}
 */
export async function* readEvents(body, { silenceMilliseconds = 30_000, onRetry = () => {} } = {}) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventStreamParser();
  try {
    for (;;) {
      const { done, value } = await withinSilence(reader, silenceMilliseconds);
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
      if (parser.retryMilliseconds !== undefined) onRetry(parser.retryMilliseconds);
    }
  } finally {
    // A body that already failed rejects its cancellation with the same error, which the caller has.
    reader.cancel().catch(() => {});
  }
}

/**
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @param {number} milliseconds
 * @returns {Promise<ReadableStreamReadResult<Uint8Array>>}
 */
async function withinSilence(reader, milliseconds) {
  /** @type {number | undefined} */
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("The connection fell silent.")), milliseconds);
  });
  try {
    return await /** @type {Promise<any>} */ (Promise.race([reader.read(), silence]));
  } finally {
    clearTimeout(timer);
  }
}
