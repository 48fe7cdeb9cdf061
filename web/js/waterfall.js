/** "Where the time went": the stages of one turn as a table that also draws itself. */

import { el } from "./dom.js";
import { durationWords } from "./words.js";

/** @typedef {import("./api.js").Timeline} Timeline */
/** @typedef {import("./api.js").Stage} Stage */

/**
 * @param {Timeline} timeline
 * @returns {HTMLElement}
 */
export function renderWaterfall({ total_ms, stages }) {
  if (stages.length === 0) return el("p", {}, "No times were recorded for this answer.");
  const longest = Math.max(...stages.map((stage) => stage.duration_ms));
  const rows = stages.map((stage) => renderStage(stage, total_ms, stage.duration_ms === longest));
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

/** @param {Stage} stage @param {number} totalMs @param {boolean} isLongest */
function renderStage({ name, start_ms, duration_ms }, totalMs, isLongest) {
  const share = totalMs > 0 ? duration_ms / totalMs : 0;
  return el(
    "tr",
    { class: isLongest && "longest" },
    el("th", { scope: "row" }, stageWords(name)),
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
  const words = name.replaceAll(/[_.-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
