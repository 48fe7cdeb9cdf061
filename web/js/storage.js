/** What the browser remembers: the session for good, the key and the turn under way for this tab only. */

/**
 * @typedef {object} SavedTurn Enough to continue a turn after a reload without a gap or a repeat.
 * @property {string} question
 * @property {string} idempotencyKey
 * @property {string | null} sessionId
 * @property {string | null} turnId null when the server had not accepted it yet.
 * @property {string} lastEventId
 * @property {string} answer The text up to `lastEventId`.
 */

const SESSION = "spillway.session";
const KEY = "spillway.key";
const TURN = "spillway.turn";

export class Storage {
  #lasting;
  #tab;

  /**
   * @param {() => globalThis.Storage} lasting
   * @param {() => globalThis.Storage} tab
   */
  constructor(lasting = () => localStorage, tab = () => sessionStorage) {
    this.#lasting = new Shelf(lasting);
    this.#tab = new Shelf(tab);
  }

  get sessionId() {
    return this.#lasting.read(SESSION);
  }

  set sessionId(value) {
    this.#lasting.write(SESSION, value);
  }

  get key() {
    return this.#tab.read(KEY);
  }

  set key(value) {
    this.#tab.write(KEY, value);
  }

  /** @returns {SavedTurn | null} */
  get turn() {
    try {
      const saved = JSON.parse(this.#tab.read(TURN) ?? "null");
      return typeof saved?.question === "string" && typeof saved.idempotencyKey === "string" ? saved : null;
    } catch {
      return null; // Written by another version of the page, or by hand: as good as nothing.
    }
  }

  set turn(value) {
    this.#tab.write(TURN, value && JSON.stringify(value));
  }
}

/** One web storage area, or this page's memory where the browser denies it (private windows, full quota). */
export class Shelf {
  #open;
  /** @type {Map<string, string | null>} */
  #memory = new Map();

  /** @param {() => globalThis.Storage} open */
  constructor(open) {
    this.#open = open;
  }

  /** @param {string} name @returns {string | null} */
  read(name) {
    if (this.#memory.has(name)) return this.#memory.get(name) ?? null;
    try {
      return this.#open().getItem(name);
    } catch {
      return null;
    }
  }

  /** @param {string} name @param {string | null} value null removes it. */
  write(name, value) {
    try {
      if (value === null) this.#open().removeItem(name);
      else this.#open().setItem(name, value);
      this.#memory.delete(name);
    } catch {
      this.#memory.set(name, value);
    }
  }
}
