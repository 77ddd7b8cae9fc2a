/** The rows of the watch-list: newest price, the line of the last 24 hours, and the change since that begins. */

import { hasPrices, isNewer } from "./bars.js";
import { changeOf, decimalsOf, fixed } from "./numbers.js";

/** How far back line and change go. */
export const SPAN_MS = 86_400_000;

/** One symbol of the watch-list. */
export class WatchRow {
  #newest = null;
  #points = [];
  #decimals;

  /** Points of the line stand `lineMs` apart. */
  constructor(symbol, decimals = 0, lineMs = 900_000) {
    this.symbol = symbol;
    this.lineMs = lineMs;
    /** Whether history has been asked for. */
    this.asked = false;
    this.#decimals = decimals;
  }

  get price() {
    return this.#newest === null ? null : this.#newest.close;
  }

  get decimals() {
    return this.#decimals;
  }

  /** Since the beginning of the line: a day ago, or when the symbol was first seen. */
  get change() {
    return this.#points.length > 1 ? changeOf(this.#points[0].close, this.price) : null;
  }

  /** `{start_ms, close}`, oldest first; the newest one moves with the price. */
  get points() {
    return this.#points;
  }

  /** Take a record; whether the row looks different now. */
  take(record) {
    if (!hasPrices(record)) return false;
    const held = this.#newest;
    if (held !== null && (record.start_ms < held.start_ms || (record.start_ms === held.start_ms && !isNewer(record, held)))) return false;
    this.#newest = record;
    this.#decimals = Math.max(this.#decimals, decimalsOf([record.close]));
    this.#append(record);
    return held === null || held.close !== record.close || held.start_ms !== record.start_ms;
  }

  /** Fill the line with bars of history, oldest first. */
  fill(bars) {
    const known = bars.filter(hasPrices).map(({ start_ms, close }) => ({ start_ms, close }));
    const later = this.#points.filter(({ start_ms }) => known.length === 0 || start_ms > known.at(-1).start_ms);
    this.#points = [...known, ...later];
    this.#forget();
    this.#decimals = Math.max(this.#decimals, decimalsOf(known.slice(-20).map(({ close }) => close)));
    if (this.#newest === null && known.length) this.#newest = { ...known.at(-1), status: "forming", run: -1 };
  }

  #append({ start_ms: moment, close }) {
    const start_ms = moment - (moment % this.lineMs);
    const last = this.#points.at(-1);
    if (last !== undefined && last.start_ms === start_ms) last.close = close;
    else if (last === undefined || start_ms > last.start_ms) this.#points.push({ start_ms, close });
    this.#forget();
  }

  #forget() {
    const begin = (this.#points.at(-1)?.start_ms ?? 0) - SPAN_MS;
    while (this.#points.length && this.#points[0].start_ms < begin) this.#points.shift();
  }
}

/** Which rows of a list are in sight, with `spare` rows more on either side: `[first, past the last]`. */
export function rowsInSight(scrollTop, height, rowHeight, count, spare = 4) {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - spare);
  return [Math.min(first, count), Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + spare)];
}

/** What a list of `count` symbols that should be all `total` says of the others, empty when there are none. */
export function restText(count, total) {
  if (total <= count) return "";
  return `The first ${fixed(count, 0)} of ${fixed(total, 0)} symbols. The search finds the others.`;
}

/**
 * The points of a row in a box that spans the time up to `endMs`: a line that begins later is short and on the right,
 * but for one of less than a quarter of the time, which takes the whole box.
 */
export function sparkline(points, endMs, spanMs, width, height, margin = 2) {
  const seen = points.filter(({ start_ms }) => start_ms >= endMs - spanMs);
  if (seen.length < 2) return "";
  const age = endMs - seen[0].start_ms;
  const span = age < spanMs / 4 ? age : spanMs;
  const closes = seen.map(({ close }) => close);
  const y = scaleOf(closes, height, margin);
  return seen
    .map(({ start_ms, close }) => `${(width * (1 - Math.max(0, endMs - start_ms) / span)).toFixed(1)},${y(close).toFixed(1)}`)
    .join(" ");
}

/** The points of `values` in a box, as the `points` of a polyline; the box begins at zero, or at the least value. */
export function polyline(values, width, height, margin = 1) {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const y = scaleOf([0, ...values], height, margin);
  return values.map((value, place) => `${(place * step).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
}

function scaleOf(values, height, margin) {
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  return (value) => (range === 0 ? height / 2 : margin + (height - 2 * margin) * (1 - (value - low) / range));
}
