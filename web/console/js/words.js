/** What the console says when something is wrong, in the words of a person. */

import { ApiError } from "../../js/client.js";

const PROBLEMS = new Map(
  Object.entries({
    unauthorized: "This key was not accepted. Check it and enter it again.",
    forbidden: "This key is not an operator’s. Enter one that is.",
    unavailable: "The service behind this does not answer right now.",
    internal_error: "Something went wrong in the app; its log has the cause.",
  }),
);

/** Why a key was refused. @param {import("../../js/client.js").Problem} problem */
export function keyWords(problem) {
  return PROBLEMS.get(problem.code) ?? problem.message;
}

/** What went wrong, and what to do where that is known. @param {unknown} error */
export function errorWords(error) {
  if (error instanceof ApiError) return PROBLEMS.get(error.problem.code) ?? error.problem.message;
  return navigator.onLine ? "The app cannot be reached. It is tried again." : "You are offline.";
}
