/** "Where the time went": the stages of one turn as a table that also draws itself. */

import { el } from "./dom.js";
import { durationWords } from "./words.js";

/** @typedef {import("./api.js").Timeline} Timeline */
/** @typedef {import("./api.js").Stage} Stage */
/** @typedef {import("./api.js").Step} Step */
/** @typedef {{name: string, start_ms: number, duration_ms: number, kind: "stage" | "longest" | "step" | "critical", note: string}} Row */

/** What a person reads for a stage or step; others are told by their name. */
const WORDS = new Map(
  Object.entries({
    client_send: "Sending",
    front_end: "Front door",
    start: "Waking up",
    receive: "Receiving",
    validation: "Checking",
    store_accept: "Noting the question",
    enqueue: "Joining the line",
    earlier_runs: "Earlier tries",
    deferral: "Asleep in line",
    queue: "In line",
    dispatch: "Taking over",
    prompt: "Writing the prompt",
    retry: "Calls without an answer",
    grant: "Waiting for budget",
    connect: "Reaching the model",
    stream: "Writing the answer",
    store: "Keeping the answer",
    relay: "On its way to you",
  }),
);

/**
 * @param {Timeline} timeline
 * @returns {HTMLElement}
 */
export function renderWaterfall(timeline) {
  const { total_ms, stages } = timeline;
  if (stages.length === 0) return el("p", {}, "No times were recorded for this answer.");
  const rows = rowsOf(timeline).map((row) => renderRow(row, total_ms));
  return el(
    "table",
    { class: "waterfall" },
    el("caption", { class: "visually-hidden" }, `Stages of this answer, ${durationWords(total_ms)} in total`),
    el(
      "thead",
      { class: "visually-hidden" },
      el(
        "tr",
        {},
        ...["Stage", "When", "Starts after", "Took", "Share"].map((name) => el("th", { scope: "col" }, name)),
      ),
    ),
    el("tbody", {}, ...rows),
  );
}

/** The stages, and under the context its steps with what the answer waited for. @param {Timeline} timeline @returns {Row[]} */
function rowsOf({ stages, steps = [], cold_start }) {
  const longest = Math.max(...stages.map((stage) => stage.duration_ms));
  return stages.flatMap((stage) => {
    const isLongest = stage.duration_ms === longest;
    const note = stage.name === "start" && cold_start ? "first answer of this process" : estimateNote(stage);
    /** @type {Row} */
    const row = { ...stage, kind: isLongest ? "longest" : "stage", note };
    return stage.name === "context" ? [row, ...steps.map((step) => stepRow(step, stage.start_ms))] : [row];
  });
}

/** @param {Stage} stage */
function estimateNote({ estimated }) {
  return estimated ? "estimated" : "";
}

/** @param {Step} step @param {number} contextMs @returns {Row} */
function stepRow(step, contextMs) {
  return {
    name: step.name,
    start_ms: contextMs + step.start_ms,
    duration_ms: step.duration_ms,
    kind: step.critical ? "critical" : "step",
    note: step.critical ? "waited for" : step.part_of ? `in ${step.part_of}` : "meanwhile",
  };
}

/** @param {Row} row @param {number} totalMs */
function renderRow({ name, start_ms, duration_ms, kind, note }, totalMs) {
  const share = totalMs > 0 ? duration_ms / totalMs : 0;
  const words = [stageWords(name), ...(note ? [el("small", {}, ` ${note}`)] : [])];
  return el(
    "tr",
    { class: kind },
    el("th", { scope: "row" }, ...words),
    el("td", { class: "track" }, renderBar(totalMs > 0 ? start_ms / totalMs : 0, share)),
    el("td", { class: "visually-hidden" }, durationWords(start_ms)),
    el("td", { class: "number" }, durationWords(duration_ms)),
    el("td", { class: "number share" }, `${Math.round(share * 100)} %`),
  );
}

/** @param {number} start From 0 to 1. @param {number} share From 0 to 1. */
function renderBar(start, share) {
  const bar = el("span", { class: "bar", "aria-hidden": "true" });
  // Set through the object model: a style attribute in markup is what the content security policy forbids.
  bar.style.setProperty("--start", String(clamp(start)));
  bar.style.setProperty("--share", String(clamp(share)));
  return bar;
}

/** @param {number} value */
function clamp(value) {
  return Math.min(1, Math.max(0, value));
}

/** "first_token" as "First token". @param {string} name */
function stageWords(name) {
  const known = WORDS.get(name);
  if (known) return known;
  const words = name.replaceAll(/[_.-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
