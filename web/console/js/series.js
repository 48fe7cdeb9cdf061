/** From the rows of a result to the series of a chart, as workbooks do it: time, names, numbers. */

/** @typedef {import("./api.js").Result} Result */
/** @typedef {{name: string, points: [number | string, number][]}} Series */

const NUMBERS = new Set(["real", "long", "int", "decimal"]);

/**
 * The first datetime column is the time, or else the first text column the category; a further text column splits a number into series; otherwise each number column is one.
 * @param {Result} result
 * @returns {{series: Series[], isTime: boolean}}
 */
export function readSeries({ columns, rows }) {
  const time = columns.findIndex(({ type }) => type === "datetime");
  const texts = columns.flatMap(({ type }, index) => (type === "string" ? [index] : []));
  const numbers = columns.flatMap(({ type }, index) => (NUMBERS.has(type) ? [index] : []));
  const isTime = time >= 0;
  const x = isTime ? time : (texts[0] ?? 0);
  const split = isTime ? texts[0] : texts[1];
  /** @type {Map<string, Series>} */
  const series = new Map();
  for (const row of rows) {
    const at = isTime ? Date.parse(row[x]) : String(row[x]);
    for (const number of split === undefined ? numbers : numbers.slice(0, 1)) {
      const name = split === undefined ? columns[number].name : String(row[split]) || "(none)";
      if (!series.has(name)) series.set(name, { name, points: [] });
      if (Number.isFinite(row[number])) series.get(name)?.points.push([at, row[number]]);
    }
  }
  return { series: [...series.values()].filter(({ points }) => points.length), isTime };
}

/** Series that have a value at every moment that any of them has one; where there was none, it is nothing. @param {Series[]} series @returns {Series[]} */
export function aligned(series) {
  const moments = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) =>
    a < b ? -1 : 1,
  );
  return series.map(({ name, points }) => {
    const known = new Map(points);
    return { name, points: moments.map((at) => [at, known.get(at) ?? 0]) };
  });
}

/** What a chart says to those who do not see it. @param {string} title @param {Series[]} series @param {(value: number) => string} words */
export function chartWords(title, series, words) {
  const said = series.slice(0, 8).map(({ name, points }) => {
    const values = points.map(([, value]) => value);
    return `${name}: last ${words(values[values.length - 1])}, most ${words(Math.max(...values))}`;
  });
  const more = series.length > 8 ? `, and ${series.length - 8} more series` : "";
  return `${title}. Chart. ${said.join("; ")}${more}.`;
}
