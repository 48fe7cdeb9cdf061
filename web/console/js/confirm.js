/** Asks before something is done that others will feel. */

import { byId, setText } from "../../js/dom.js";

/** @param {string} title @param {string} text @param {string} action @returns {Promise<boolean>} */
export function confirmed(title, text, action) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("confirm"));
  setText(byId("confirm-title"), title);
  setText(byId("confirm-text"), text);
  setText(byId("confirm-yes"), action);
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  dialog.returnValue = "";
  dialog.showModal();
  byId("confirm-yes").onclick = () => dialog.close("yes");
  byId("confirm-no").onclick = () => dialog.close();
  return new Promise((resolve) =>
    dialog.addEventListener(
      "close",
      () => {
        before?.focus();
        resolve(dialog.returnValue === "yes");
      },
      { once: true },
    ),
  );
}
