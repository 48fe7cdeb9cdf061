/** The page's pictures, drawn here so that they take the colour of the text around them. */

const NAMESPACE = "http://www.w3.org/2000/svg";

/** Outlines on a 24 x 24 grid. */
const PATHS = {
  copy: ["M9 9h10v11H9z", "M15 9V4H5v11h4"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  retry: ["M19.5 12a7.5 7.5 0 1 1-2.2-5.3", "M19.5 3.5v4.2h-4.2"],
  up: [
    "M7.5 11v9H4v-9h3.5z",
    "M7.5 11l4-7.5c1.5 0 2.5 1 2.5 2.5V9.5h4.7c1.2 0 2.1 1.1 1.8 2.3l-1.4 6.6c-.2.9-1 1.6-2 1.6H7.5",
  ],
  down: [
    "M7.5 13V4H4v9h3.5z",
    "M7.5 13l4 7.5c1.5 0 2.5-1 2.5-2.5v-3.5h4.7c1.2 0 2.1-1.1 1.8-2.3l-1.4-6.6c-.2-.9-1-1.6-2-1.6H7.5",
  ],
  clock: ["M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z", "M12 8v4.2l2.8 1.8"],
  alert: ["M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z", "M12 8.2v4.6", "M12 15.6v.1"],
  link: ["M13.5 5H19v5.5", "M19 5l-8.5 8.5", "M10.5 6H6v12h12v-4.5"],
};

/** @param {keyof typeof PATHS} name @returns {SVGElement} */
export function icon(name) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  for (const [attribute, value] of [
    ["class", "icon"],
    ["viewBox", "0 0 24 24"],
    ["aria-hidden", "true"],
  ])
    svg.setAttribute(attribute, value);
  for (const outline of PATHS[name]) {
    const path = document.createElementNS(NAMESPACE, "path");
    path.setAttribute("d", outline);
    svg.append(path);
  }
  return svg;
}

/** The face of the assistant; its eyes move while it works. @returns {Node} */
export function face() {
  return /** @type {Element} */ (document.querySelector(".brand .face")).cloneNode(true);
}
