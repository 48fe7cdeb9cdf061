/** Charts of the workbook, drawn by Apache ECharts in the colours of the page. */

import { el } from "../../js/dom.js";
import { axisWords, momentWords, numberWords, shortNumber } from "./format.js";
import { aligned, chartWords, readSeries } from "./series.js";

/** @typedef {import("./api.js").Result} Result */
/** @typedef {import("./series.js").Series} Series */

const PALETTE = 8;
/** Colours that workbooks know, as those of the page. @type {Record<string, string>} */
const NAMED = { green: "--good", redBright: "--bad", orange: "--warn", gray: "--quiet", blue: "--series-1" };
const STACKED = new Set(["barchart", "areachart"]);
const BAND = "(band)";
const DARK = matchMedia("(prefers-color-scheme: dark)");

/** A chart that stays when its data change. */
export class Chart {
  element = el("div", { class: "chart", role: "img" });
  #kind;
  #settings;
  #title;
  /** @type {any} */ #drawn = null;
  /** @type {Result | null} */ #result = null;
  /** @type {[number, number]} */ #range = [0, 0];
  #watch = new ResizeObserver(() => this.#drawn?.resize());
  #recolour = () => this.#result && this.show(this.#result, this.#range);

  /** @param {string} kind @param {any} settings `chartSettings` of the workbook. @param {string} title */
  constructor(kind, settings, title) {
    this.#kind = kind;
    this.#settings = settings ?? {};
    this.#title = title;
    this.#watch.observe(this.element);
    DARK.addEventListener("change", this.#recolour);
  }

  /** @param {Result} result @param {[number, number]} range First and last moment of the time axis. */
  show(result, range) {
    this.#result = result;
    this.#range = range;
    const { series, isTime } = readSeries(result);
    this.element.setAttribute(
      "aria-label",
      chartWords(this.#title, series, (value) => numberWords(value)),
    );
    this.#drawn ??= /** @type {any} */ (globalThis).echarts.init(this.element, null, { renderer: "canvas" });
    const names = this.#kind === "piechart" ? undefined : series.map(({ name }) => name);
    const options = this.#kind === "piechart" ? this.#pie(series) : this.#axes(series, isTime);
    this.#drawn.setOption({ ...this.#common(names), ...options }, { notMerge: true });
  }

  close() {
    DARK.removeEventListener("change", this.#recolour);
    this.#watch.disconnect();
    this.#drawn?.dispose();
  }

  /** @param {string[] | undefined} names What the legend shows. */
  #common(names) {
    const ink = colour("--ink-soft");
    return {
      animation: false,
      textStyle: { fontFamily: colour("--font"), color: ink },
      legend: {
        type: "scroll",
        bottom: 0,
        left: 0,
        icon: "roundRect",
        itemWidth: 10,
        itemHeight: 10,
        itemGap: 14,
        textStyle: { color: ink, fontSize: 12 },
        pageIconColor: ink,
        pageTextStyle: { color: ink },
        ...(names && { data: names }),
        show: this.#settings.showLegend !== false,
      },
    };
  }

  #tooltip() {
    return {
      // Drawn on the canvas: markup with style attributes is what the content security policy forbids.
      renderMode: "richText",
      confine: true,
      backgroundColor: colour("--surface"),
      borderColor: colour("--line"),
      textStyle: { color: colour("--ink"), fontSize: 12 },
    };
  }

  /** @param {Series[]} found @param {boolean} isTime */
  #axes(found, isTime) {
    const isBars = this.#kind === "barchart" || !isTime;
    const series = STACKED.has(this.#kind) ? aligned(found) : found;
    const [min, max] = this.#range;
    const palette = this.#palette(series);
    const line = { lineStyle: { color: colour("--line") } };
    return {
      grid: { left: 8, right: 14, top: 14, bottom: 34, containLabel: true },
      tooltip: {
        ...this.#tooltip(),
        trigger: "axis",
        formatter: pointWords,
        axisPointer: { lineStyle: { color: colour("--line-strong") } },
      },
      xAxis: {
        type: isTime ? "time" : "category",
        ...(isTime && { min, max, containShape: false }),
        boundaryGap: isBars && !isTime,
        axisLine: line,
        axisTick: { show: false },
        splitLine: { show: false },
        axisLabel: {
          color: colour("--ink-soft"),
          fontSize: 11,
          hideOverlap: true,
          ...(isTime && { formatter: (/** @type {number} */ at) => axisWords(at, max - min) }),
        },
      },
      yAxis: {
        type: "value",
        splitNumber: 4,
        axisLabel: { color: colour("--ink-soft"), fontSize: 11, formatter: shortNumber },
        splitLine: line,
      },
      series: [...series.map((one, index) => this.#one(one, palette[index], isBars)), ...band(series)],
    };
  }

  /** @param {Series} series @param {string} color @param {boolean} isBars */
  #one({ name, points }, color, isBars) {
    const isArea = this.#kind === "areachart";
    const isBound = name === "lower" || name === "upper";
    return {
      name,
      data: points,
      type: isBars ? "bar" : "line",
      stack: STACKED.has(this.#kind) ? "all" : undefined,
      itemStyle: { color },
      barMaxWidth: 22,
      symbol: "circle",
      symbolSize: 5,
      showSymbol: points.length < 3,
      lineStyle: { color, width: isBound ? 1.5 : 2, type: isBound ? "dashed" : "solid" },
      areaStyle: isArea ? { opacity: 0.25 } : undefined,
      emphasis: { disabled: true },
    };
  }

  /** @param {Series[]} series */
  #pie(series) {
    const data = series.flatMap(({ name, points }) =>
      points.map(([label, value]) => ({ name: series.length > 1 ? name : String(label), value })),
    );
    const words = (/** @type {any} */ { percent }) => `${numberWords(percent, 1)} %`;
    return {
      color: this.#palette(data),
      tooltip: {
        ...this.#tooltip(),
        trigger: "item",
        formatter: (/** @type {any} */ { name, value }) => `${name}: ${numberWords(value)}`,
      },
      series: [
        {
          type: "pie",
          data,
          radius: ["48%", "72%"],
          center: ["50%", "46%"],
          itemStyle: { borderColor: colour("--surface"), borderWidth: 2 },
          label: { color: colour("--ink-soft"), fontSize: 12, formatter: words },
          emphasis: { disabled: true },
        },
      ],
    };
  }

  /** @param {{name: string}[]} series */
  #palette(series) {
    const wanted = new Map(
      (this.#settings.seriesLabelSettings ?? []).map((/** @type {any} */ one) => [one.seriesName, NAMED[one.color]]),
    );
    return series.map(({ name }, index) => colour(wanted.get(name) ?? `--series-${(index % PALETTE) + 1}`));
  }
}

/** The area between the bounds of a mean: what lies below it, unseen, and its height on top. @param {Series[]} series */
function band(series) {
  const lower = series.find(({ name }) => name === "lower")?.points;
  const upper = series.find(({ name }) => name === "upper")?.points;
  if (!lower || !upper || lower.length !== upper.length) return [];
  const usual = {
    type: "line",
    stack: "band",
    stackStrategy: "all",
    symbol: "none",
    silent: true,
    lineStyle: { opacity: 0 },
  };
  return [
    { ...usual, name: BAND, data: lower },
    {
      ...usual,
      name: BAND,
      data: upper.map(([at, value], index) => [at, value - lower[index][1]]),
      areaStyle: { color: colour("--series-1"), opacity: 0.16 },
    },
  ];
}

/** @param {any[]} points Of one moment. */
function pointWords(points) {
  const at = points[0]?.axisValue;
  const head = typeof at === "number" ? momentWords(new Date(at).toISOString()) : String(at ?? "");
  const lines = points
    .filter(({ seriesName }) => seriesName !== BAND)
    .map(({ marker, seriesName, value }) => `${marker}${seriesName}  ${numberWords(value[1])}`);
  return [head, ...lines].join("\n");
}

/** @param {string} name A custom property of the page. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
