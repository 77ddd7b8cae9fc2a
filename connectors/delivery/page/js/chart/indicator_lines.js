/** The indicators on the chart: over the prices or in panes of their own, with their reference lines. */

import { decimalsOfValues, linesOf, paneOf } from "../model/indicators.js";
import { reading } from "../model/numbers.js";
import { pointOf } from "../model/points.js";
import { levelOptions, lineOptions, ownScaleOptions, priceFormat } from "./chart_options.js";

const PALETTE = 8;
const PRICE_SHARE = 3;

/**
 * The indicators on one chart. One that is drawn is `{indicator, pane, decimals, lines}`, its lines `{name,
 * output, style, place, colour, series}`.
 */
export class IndicatorLines {
  #chart;
  #library;
  #colours;
  #shown = [];

  constructor(chart, library, colours) {
    this.#chart = chart;
    this.#library = library;
    this.#colours = colours;
  }

  get shown() {
    return this.#shown;
  }

  /**
   * Draw these indicators and no others, each with as many decimals as its values in `bars` ask for; over the prices as many as these have.
   * `places` gives each label the place that picks its colour.
   */
  show(indicators, places, bars, decimals) {
    for (const { lines } of [...this.#shown].reverse()) lines.forEach(({ series }) => this.#chart.removeSeries(series));
    const panes = paneOf(indicators);
    this.#shown = indicators.map((indicator) => {
      const pane = panes.get(indicator.label);
      return this.#add(indicator, pane, places.get(indicator.label) ?? 0, pane === 0 ? decimals : decimalsOfValues(indicator, bars));
    });
    this.#chart.panes().forEach((pane, place) => pane.setStretchFactor(place === 0 ? PRICE_SHARE : 1));
  }

  /**
   * Panes below the prices stay linear when the prices' scale is logarithmic; `rooms` gives the share of each that
   * stays free at the top.
   */
  keepLinear(rooms) {
    for (const { pane, lines } of this.#shown)
      if (pane > 0) lines[0].series.priceScale().applyOptions(ownScaleOptions(rooms.get(pane) ?? 0));
  }

  setData(bars) {
    this.#each((label, line) => line.series.setData(bars.map((bar) => pointOf(bar, label, line, this.#colours))));
  }

  update(bar, isOlder) {
    this.#each((label, line) => line.series.update(pointOf(bar, label, line, this.#colours), isOlder));
  }

  #add(indicator, pane, place, decimals) {
    const format = pane === 0 ? priceFormat(decimals) : readingFormat(decimals);
    const isBand = pane === 0 && indicator.outputs.length > 0;
    const lines = linesOf(indicator).map((line) => {
      const colour = this.#colours[`series-${(colourOf(place, pane, line) % PALETTE) + 1}`];
      const type = line.style === "histogram" ? this.#library.HistogramSeries : this.#library.LineSeries;
      return { ...line, colour, series: this.#chart.addSeries(type, lineOptions(colour, line, format, isBand), pane) };
    });
    for (const level of pane === 0 ? [] : indicator.levels) lines[0].series.createPriceLine(levelOptions(level, this.#colours));
    return { indicator, pane, decimals, lines };
  }

  #each(act) {
    for (const { indicator, lines } of this.#shown) for (const line of lines) act(indicator.label, line);
  }
}

/** Bands over the prices have one colour, lines in a pane of their own one each. */
const colourOf = (place, pane, line) => (pane === 0 ? place : place + 2 * line.place);

const readingFormat = (decimals) => ({ type: "custom", minMove: 10 ** -decimals, formatter: (value) => reading(value, decimals) });
