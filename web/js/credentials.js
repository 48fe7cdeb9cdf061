/** The access key: from the address, from this tab's memory, or from the person. */

/** @typedef {import("./api.js").Problem} Problem */
/** @typedef {import("./storage.js").Storage} Storage */

export class Credentials {
  /** Called when a key is needed; the problem says why the last one was refused. @type {(problem: Problem | null) => void} */
  onNeeded = () => {};
  /** Called when a key was given. */
  onProvided = () => {};

  #storage;
  /** @type {((key: string) => void)[]} */
  #waiting = [];
  #asked = false;

  /** @param {Storage} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /**
   * Takes a key out of the address (`#key=...`) and out of the address bar, so that it is not shared by accident.
   * @param {Location} location
   * @param {History} history
   */
  takeFromAddress(location, history) {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const key = fragment.get("key");
    if (key === null) return;
    fragment.delete("key");
    const rest = fragment.size ? `#${fragment}` : "";
    history.replaceState(history.state, "", location.pathname + location.search + rest);
    if (key.trim()) this.provide(key.trim());
  }

  /** True when there is a key to try. */
  get known() {
    return this.#storage.key !== null;
  }

  /**
   * The key, once there is one.
   * @param {AbortSignal} [signal] Ends the wait.
   * @returns {Promise<string>}
   */
  async key(signal) {
    signal?.throwIfAborted();
    const key = this.#storage.key;
    if (key !== null) return key;
    this.ask();
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  /** Asks for a key, unless that was done already. */
  ask() {
    if (!this.#asked) this.onNeeded(null);
    this.#asked = true;
  }

  /** @param {string} key A new key, which everyone who waits gets. */
  provide(key) {
    this.#storage.key = key;
    this.#asked = false;
    this.onProvided();
    for (const resolve of this.#waiting.splice(0)) resolve(key);
  }

  /** @param {string} key The key the server refused. @param {Problem} problem Why. */
  refuse(key, problem) {
    if (this.#storage.key !== key) return; // A newer key is there already.
    this.#storage.key = null;
    this.#asked = true;
    this.onNeeded(problem);
  }
}
