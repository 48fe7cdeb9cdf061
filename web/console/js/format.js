/** Numbers, moments and states as people read them. */

const ZONE = { timeZone: "UTC", hour12: false };
const DAY_MILLISECONDS = 86_400_000;

/** @param {number} value @param {number} [digits] Most digits after the point; as many as are of use when not given. */
export function numberWords(value, digits) {
  const most = digits ?? (Number.isInteger(value) || Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 3);
  if (value > 0 && digits !== undefined && value < 10 ** -digits / 2) return `< ${10 ** -digits}`;
  return value.toLocaleString("en", { maximumFractionDigits: most });
}

/** A short form for axes. @param {number} value */
export function shortNumber(value) {
  if (Math.abs(value) >= 10_000) return value.toLocaleString("en", { notation: "compact", maximumFractionDigits: 1 });
  return value.toLocaleString("en", { maximumSignificantDigits: 4 });
}

/** @param {string} moment ISO 8601 in UTC. */
export function momentWords(moment) {
  const date = new Date(moment);
  return Number.isNaN(date.valueOf())
    ? moment
    : date.toLocaleString("en-GB", {
        ...ZONE,
        month: "short",
        day: "2-digit",
        hour: "2-digit",
        minute: "2-digit",
        second: "2-digit",
      });
}

/** A moment on an axis that spans so much. @param {number} time @param {number} span Milliseconds, both. */
export function axisWords(time, span) {
  const date = new Date(time);
  const clock = date.toLocaleString("en-GB", { ...ZONE, hour: "2-digit", minute: "2-digit" });
  const day = date.toLocaleString("en-GB", { ...ZONE, month: "short", day: "2-digit" });
  if (span > 4 * DAY_MILLISECONDS) return day;
  return span > DAY_MILLISECONDS ? `${day} ${clock}` : clock;
}

/** A length of time as the workbook's parameter offers it. @param {number} milliseconds */
export function rangeWords(milliseconds) {
  const minutes = milliseconds / 60_000;
  if (minutes < 60) return `Last ${minutes} minutes`;
  const hours = minutes / 60;
  if (hours < 24) return hours === 1 ? "Last hour" : `Last ${hours} hours`;
  return hours === 24 ? "Last day" : `Last ${hours / 24} days`;
}

/** @param {number} seconds */
export function secondsWords(seconds) {
  if (seconds < 0.05) return "none";
  if (seconds < 10) return `${numberWords(seconds, 1)} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
