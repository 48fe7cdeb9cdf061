/** The operator routes the console uses. Nothing else in the console knows an address. */

import { ApiError, Client } from "../../js/client.js";

/** @typedef {{name: string, type: string}} Column */
/** @typedef {{columns: Column[], rows: any[][], partial: string | null}} Result */
/** @typedef {Record<string, any>} Values Values of the workbook's parameters by name. */
/** @typedef {{workbook: any, queries: boolean, portal_url: string | null}} WorkbookReply */
/** @typedef {{lane: string, paused: boolean, waiting: number, expected_wait_seconds: number | null}} LaneState */
/** @typedef {Record<string, any> & {name: string, draining?: boolean}} DeploymentState */
/** @typedef {{lanes: LaneState[], deployments: DeploymentState[], canOperate: boolean}} Operations */
/** @typedef {{sequence_number: number, turn_id: string | null, reason: string, tenant?: string, created_at?: string}} DeadLetter */

export class ConsoleApi {
  #client;

  /**
   * @param {URL} base Address of the API, with a slash at its end.
   * @param {import("../../js/credentials.js").Credentials} credentials
   */
  constructor(base, credentials) {
    this.#client = new Client(base, credentials);
  }

  /** @returns {Promise<WorkbookReply>} */
  workbook() {
    return this.#get("workbook");
  }

  /** @param {string} name @param {Values} parameters @param {AbortSignal} [signal] @returns {Promise<Result>} */
  query(name, parameters, signal) {
    return this.#post(`workbook/queries/${encodeURIComponent(name)}`, { parameters }, signal);
  }

  /** Lanes and deployments; where there are no operator actions yet, the deployments alone. @returns {Promise<Operations>} */
  async operations() {
    try {
      return { ...(await this.#get("operations")), canOperate: true };
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
    return { lanes: [], deployments: (await this.#get("capacity")).deployments, canOperate: false };
  }

  /** @param {string} lane @param {boolean} paused */
  pause(lane, paused) {
    return this.#post(`operations/lanes/${encodeURIComponent(lane)}`, { paused });
  }

  /** @param {string} deployment @param {boolean} draining */
  drain(deployment, draining) {
    return this.#post(`operations/deployments/${encodeURIComponent(deployment)}`, { draining });
  }

  /** @param {string} lane @returns {Promise<DeadLetter[]>} */
  async deadLetters(lane) {
    return (await this.#get(`dead-letters?lane=${encodeURIComponent(lane)}`)).dead_letters;
  }

  /** @param {string} lane @param {number[]} sequenceNumbers @returns {Promise<{replayed: {replayed_as: string | null}[]}>} */
  replay(lane, sequenceNumbers) {
    return this.#post("dead-letters/replay", { lane, sequence_numbers: sequenceNumbers });
  }

  /** @param {string} path */
  async #get(path) {
    return (await this.#client.request(path)).json();
  }

  /** @param {string} path @param {object} body @param {AbortSignal} [signal] */
  async #post(path, body, signal) {
    return (await this.#client.request(path, { method: "POST", body, signal })).json();
  }
}
