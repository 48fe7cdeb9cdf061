/** The deployments as the answering instance sees them. */

import { el } from "../../js/dom.js";
import { numberWords, secondsWords } from "./format.js";

/** @typedef {import("./api.js").DeploymentState} DeploymentState */

const HEADS = [
  "Deployment",
  "Region",
  "Tier",
  "State",
  "Quota in use",
  "Limit a minute",
  "First token",
  "Calls",
  "429s",
  "Faults",
];
const NUMBERS = new Set(["Limit a minute", "First token", "Calls", "429s", "Faults"]);

/** @param {DeploymentState[]} deployments @param {((one: DeploymentState) => void) | null} drain null where that cannot be done. @returns {HTMLElement} */
export function renderDeployments(deployments, drain) {
  const heads = HEADS.map((name) => el("th", { scope: "col", class: NUMBERS.has(name) && "number" }, name));
  if (drain) heads.push(el("th", { scope: "col" }, el("span", { class: "visually-hidden" }, "Action")));
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Deployments" },
    el(
      "table",
      {},
      el("caption", { class: "visually-hidden" }, "Deployments as the answering instance sees them"),
      el("thead", {}, el("tr", {}, ...heads)),
      el("tbody", {}, ...deployments.map((one) => renderRow(one, drain))),
    ),
  );
}

/** @param {DeploymentState} one @param {((one: DeploymentState) => void) | null} drain */
function renderRow(one, drain) {
  const cells = [
    el("th", { scope: "row" }, one.name, el("span", { class: "sub" }, one.model)),
    el("td", {}, one.region),
    el("td", {}, one.tier),
    el("td", {}, ...stateChips(one)),
    el("td", {}, renderUse(one.utilisation)),
    el("td", { class: "number" }, numberWords(one.limit_tokens_per_minute, 0)),
    el("td", { class: "number" }, one.first_token_ms ? `${numberWords(one.first_token_ms, 0)} ms` : "–"),
    ...[one.calls, one.overloads, one.faults].map((count) => el("td", { class: "number" }, numberWords(count))),
  ];
  if (drain) {
    const words = one.draining ? "Take back" : "Drain";
    const attributes = {
      type: /** @type {const} */ ("button"),
      class: "action",
      "data-action": `deployment-${one.name}`,
      onclick: () => drain(one),
    };
    cells.push(el("td", {}, el("button", attributes, words, el("span", { class: "visually-hidden" }, ` ${one.name}`))));
  }
  return el("tr", {}, ...cells);
}

/** @param {DeploymentState} one */
function stateChips(one) {
  const chips = [];
  if (one.draining) chips.push(el("span", { class: "chip warn" }, "draining"));
  if (one.cooling_seconds > 0)
    chips.push(el("span", { class: "chip warn" }, `cooling ${secondsWords(one.cooling_seconds)}`));
  if (one.failing) chips.push(el("span", { class: "chip bad" }, "fails everybody"));
  if (one.ledger_away) chips.push(el("span", { class: "chip bad" }, "own share only"));
  return chips.length ? chips : [el("span", { class: "chip good" }, "taking calls")];
}

/** @param {number | null | undefined} share From 0 to 1. */
function renderUse(share) {
  if (typeof share !== "number") return el("span", { class: "none" }, "–");
  const words = `${numberWords(share * 100, 0)} %`;
  const meter = el("span", {
    class: `meter ${share > 0.9 ? "bad" : share > 0.7 ? "warn" : ""}`,
    "aria-hidden": "true",
  });
  meter.style.setProperty("--share", String(Math.min(1, Math.max(0, share))));
  return el("span", { class: "use" }, meter, words);
}
