/** What the catalogue says of indicators: which lines they are, their values in a bar, and why there is none yet. */

import { hasPrices } from "./bars.js";
import { decimalsForSize } from "./numbers.js";

/** One line of an indicator: `name` is `RSI` or `MACD.signal`, `output` null for an indicator of a single value. */
export function linesOf(indicator) {
  const outputs = indicator.outputs.length ? indicator.outputs : [null];
  return outputs.map((output, place) => ({
    name: output === null ? indicator.label : `${indicator.label}.${output}`,
    output,
    place,
    style: output === "histogram" ? "histogram" : "line",
  }));
}

/** The value of a line in a bar, null while there is none. */
export function valueOf(bar, label, output) {
  const value = bar.results?.[label];
  if (value === null || value === undefined) return null;
  return (output === null ? value : value[output]) ?? null;
}

/**
 * Why an indicator has no value in the bar at `index` of `series`, in words; null when it has one.
 * Bars without prices do not count, nor do those before `since`, where an indicator was added to a running job.
 */
export function explainNull(indicator, series, index) {
  const bar = series.at(index);
  if (bar === undefined || (bar.results?.[indicator.label] ?? null) !== null) return null;
  if (!(indicator.label in (bar.results ?? {}))) return `${indicator.label} is not computed for this bar`;
  if (!hasPrices(bar)) return `${indicator.label}: this bar has no prices`;
  const missing = indicator.bars_needed - countedBars(series, index, bar.since?.[indicator.label] ?? -Infinity, indicator.bars_needed);
  if (missing > 0) return `${indicator.label} needs ${missing} more ${missing === 1 ? "bar" : "bars"}`;
  return `${indicator.label} has no value here: nothing to divide by`;
}

function countedBars(series, index, sinceMs, enough) {
  let count = 0;
  for (let place = index; place >= 0 && count < enough; place -= 1) {
    const bar = series.at(place);
    if (bar.start_ms < sinceMs) break;
    if (hasPrices(bar)) count += 1;
  }
  return count;
}

/** How many decimals an indicator is written with below the prices: as its largest recent value asks for, none when all are whole. */
export function decimalsOfValues(indicator, bars, most = 300) {
  const lines = linesOf(indicator);
  const values = bars.slice(-most).flatMap((bar) => lines.map(({ output }) => valueOf(bar, indicator.label, output) ?? 0));
  return values.every(Number.isInteger) ? 0 : decimalsForSize(Math.max(0, ...values.map(Math.abs)));
}

/** The indicators called `labels`, in the order of the catalogue; unknown ones are left out. */
export function chosen(catalogue, labels) {
  return catalogue.filter(({ label }) => labels.includes(label));
}

/** The place of each label among the indicators of the catalogue that are drawn like it, over the prices or below: it picks a colour. */
export function placesOf(catalogue) {
  const next = { over: 0, below: 0 };
  return new Map(catalogue.map(({ label, pane }) => [label, pane === "price" ? next.over++ : next.below++]));
}

/** Which pane each of `indicators` goes to: 0 is that of the prices, the others follow one by one. */
export function paneOf(indicators) {
  let pane = 0;
  return new Map(indicators.map((indicator) => [indicator.label, indicator.pane === "price" ? 0 : (pane += 1)]));
}
