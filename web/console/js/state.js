/** States that thresholds of the workbook give, each with an icon that does not depend on colour. */

const NAMESPACE = "http://www.w3.org/2000/svg";

/** What a representation of the workbook means here. @type {Record<string, string>} */
const MEANINGS = {
  success: "good",
  2: "warn",
  warning: "warn",
  4: "bad",
  critical: "bad",
  info: "info",
  unknown: "unknown",
};

/** @type {Record<string, string[]>} Outlines on a 16 x 16 grid. */
const PATHS = {
  good: ["M3.5 8.5l3 3 6-7"],
  warn: ["M8 2.5l6 11H2z", "M8 7v3", "M8 11.9v.1"],
  bad: ["M4.5 4.5l7 7", "M11.5 4.5l-7 7"],
  info: ["M8 7.2V12", "M8 4.4v.1"],
  unknown: ["M3.5 8h9"],
};

/** @type {Record<string, string>} */
const NAMES = { good: "Good", warn: "Watch this", bad: "Bad", info: "For information", unknown: "Not known" };

/**
 * The meaning of a value under a thresholds formatter.
 * @param {any} formatter
 * @param {any} value
 */
export function meaningOf(formatter, value) {
  const grid = formatter?.formatOptions?.thresholdsGrid ?? [];
  const rule = grid.find(
    (/** @type {any} */ one) => one.operator === "==" && String(one.thresholdValue) === String(value),
  );
  const fallback = grid.find((/** @type {any} */ one) => one.operator === "Default");
  return MEANINGS[(rule ?? fallback)?.representation] ?? "unknown";
}

/** @param {string} meaning @returns {SVGElement} An icon with its meaning in words. */
export function stateIcon(meaning) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("class", `state ${meaning}`);
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", NAMES[meaning] ?? meaning);
  for (const outline of PATHS[meaning] ?? PATHS.unknown) {
    const path = document.createElementNS(NAMESPACE, "path");
    path.setAttribute("d", outline);
    svg.append(path);
  }
  return svg;
}
