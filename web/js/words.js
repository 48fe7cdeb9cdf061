/** What the page says: waiting, errors and durations in the words of a person. */

/** @typedef {import("./api.js").Problem} Problem */
/** @typedef {import("./turn.js").Turn} Turn */

/** What a person reads for each error code of the contract: what happened, then what helps. */
const PROBLEMS = new Map(
  Object.entries({
    unauthorized: "This key was not accepted. Check it and enter it again.",
    forbidden: "This key has no access to the assistant. Ask for another one.",
    invalid_request: "The assistant could not read this message.",
    request_too_large: "This message is too long. Shorten it, or send it in parts.",
    turn_not_found: "This answer is no longer available. Ask again for a new one.",
    idempotency_conflict: "This message was mixed up with another one. Ask again.",
    capacity_exhausted: "A lot of people are asking right now, and there was no free place in time.",
    unavailable: "The assistant cannot be reached right now. Your message was not lost.",
    content_filtered: "The safety filter stopped this message or its answer. Try to put it differently.",
    deadline_exceeded: "This took longer than we wanted to let you wait. Ask again.",
    model_failed: "The assistant could not finish this answer. Ask again.",
    model_refused: "The assistant cannot take this message as it is. Try to put it differently.",
    unreadable_answer: "The answer arrived damaged. Ask again.",
    cancelled: "You stopped this answer.",
  }),
);

/** Codes whose message from the server says more than words of our own could. */
const EXPLAINED_BY_SERVER = new Set(["invalid_request", "model_refused"]);

/** @param {Problem | null} problem */
export function problemWords(problem) {
  if (!problem) return "This question was not answered. Ask again.";
  const words = PROBLEMS.get(problem.code) ?? "Something went wrong on our side. Ask again.";
  return EXPLAINED_BY_SERVER.has(problem.code) && problem.message ? `${words} ${problem.message}` : words;
}

/**
 * What is going on while a turn is not over; "" while its text says it.
 * @param {Turn} turn
 * @param {number} now Milliseconds since 1970.
 */
export function waitingWords(turn, now) {
  if (turn.stopping) return "Stopping…";
  if (turn.pause) return pauseWords(turn.pause, now);
  if (turn.phase === "sending") return "Sending…";
  if (turn.phase === "queued") return queueWords(turn.place, turn.expectedAt, now);
  if (turn.phase === "working") return turn.restarted ? "Starting this answer again…" : "Working on it…";
  return "";
}

/** @param {import("./turn.js").Pause} pause @param {number} now */
function pauseWords({ reason, problem, until }, now) {
  const seconds = Math.ceil((until - now) / 1000);
  const soon = seconds > 0 ? `in ${secondsWords(seconds)}` : "now";
  if (reason === "offline") return "You are offline. This continues when you are back.";
  if (reason === "lost") return `The connection was lost. Trying again ${soon}…`;
  if (problem?.code === "capacity_exhausted")
    return `A lot of people are asking right now. Your message is sent again ${soon}.`;
  return `The assistant cannot be reached right now. Trying again ${soon}.`;
}

/** @param {number | null} place @param {number | null} expectedAt @param {number} now */
function queueWords(place, expectedAt, now) {
  if (place === null || expectedAt === null) return "You are in line…";
  const where = place <= 1 ? "You are next" : `You are number ${place.toLocaleString("en")} in line`;
  const seconds = (expectedAt - now) / 1000;
  return seconds < 2 ? `${where}, any moment now…` : `${where}, about ${roughWords(seconds)}…`;
}

/** @param {number} seconds */
function roughWords(seconds) {
  if (seconds >= 90) return `${Math.round(seconds / 60)} minutes`;
  if (seconds >= 50) return "a minute";
  return seconds > 10 ? `${Math.ceil(seconds / 5) * 5} seconds` : `${Math.ceil(seconds)} seconds`;
}

/** @param {number} seconds Whole seconds. */
export function secondsWords(seconds) {
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.round(minutes / 60)} h`;
}

/** A measured duration, as exact as it is of use. @param {number} milliseconds */
export function durationWords(milliseconds) {
  if (milliseconds < 9.95) return `${Number(milliseconds.toFixed(1))} ms`;
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  return milliseconds < 99_950
    ? `${(milliseconds / 1000).toFixed(milliseconds < 9_995 ? 2 : 1)} s`
    : secondsWords(Math.round(milliseconds / 1000));
}

/** Why an answer may not be whole; "" when it is. @param {Turn} turn */
export function noteWords({ phase, finishReason }) {
  if (phase === "cancelled") return problemWords({ code: "cancelled", message: "" });
  if (phase === "succeeded" && finishReason === "length") return "The answer reached its length limit and ends here.";
  if (phase === "succeeded" && finishReason === "content_filter") return "The safety filter ended this answer here.";
  return "";
}
