/** The bars of one symbol and time frame, and which record of a bar is its newest. Records are as on the wire. */

import { decimalsOf } from "./numbers.js";

/**
 * Whether `record` takes the place of `held`, both of the same bar. A final is never followed by a forming one; among finals the highest
 * (run, revision) wins, among forming ones of a run the newest clock; among equals the later one to come.
 */
export function isNewer(record, held) {
  if (record.status === "forming") {
    if (held.status !== "forming") return false;
    if (record.run !== held.run) return record.run > held.run;
    return (record.as_of_ms ?? 0) >= (held.as_of_ms ?? 0);
  }
  if (held.status === "forming") return true;
  if (record.run !== held.run) return record.run > held.run;
  return record.revision >= held.revision;
}

/** Whether a bar has prices; one of volume-only ticks has none. */
export const hasPrices = (bar) => bar.close !== null && bar.close !== undefined;

/** How many decimals the prices of the last of `bars` take. */
export function decimalsOfBars(bars, most = 200) {
  return decimalsOf(bars.slice(-most).flatMap(({ open, high, low, close }) => [open, high, low, close]));
}

/** How many of `bars` were revised, and how many may lack ticks. */
export function countMarks(bars) {
  let [revised, incomplete] = [0, 0];
  for (const bar of bars) {
    if (bar.revision > 0) revised += 1;
    if (!bar.complete) incomplete += 1;
  }
  return { revised, incomplete };
}

/** What became of a record that was taken. */
export const Change = Object.freeze({ APPENDED: "appended", CHANGED: "changed", INSERTED: "inserted", IGNORED: "ignored" });

/** Bars in the order of their start, each in its newest record. */
export class BarSeries {
  #bars = [];

  constructor(symbol, timeFrame) {
    this.symbol = symbol;
    this.timeFrame = timeFrame;
    /** Whether there is nothing older than the first bar. */
    this.reachesBack = false;
  }

  get length() {
    return this.#bars.length;
  }

  get bars() {
    return this.#bars;
  }

  get first() {
    return this.#bars[0];
  }

  get last() {
    return this.#bars.at(-1);
  }

  at(index) {
    return this.#bars[index];
  }

  /** The place of the bar that starts at `startMs`; where it would belong, as a negative number less one, when it is not there. */
  find(startMs) {
    let low = 0;
    let high = this.#bars.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#bars[middle].start_ms < startMs) low = middle + 1;
      else high = middle;
    }
    return this.#bars[low]?.start_ms === startMs ? low : -low - 1;
  }

  /** Begin anew with `records`, in any order. */
  replace(records) {
    this.#bars = newestOfEach(records);
    this.reachesBack = false;
  }

  /** Take older records; what is held already stays unless a record is newer. How many bars were added. */
  takeOlder(records) {
    const before = this.#bars.length;
    this.#bars = newestOfEach([...records, ...this.#bars]);
    return this.#bars.length - before;
  }

  /** Take one record: what came of it, at which place, and whether it repainted a bar that had been closed. */
  take(record) {
    const last = this.last;
    if (last === undefined || record.start_ms > last.start_ms) {
      this.#bars.push(record);
      return { kind: Change.APPENDED, index: this.#bars.length - 1, repainted: false };
    }
    const index = this.find(record.start_ms);
    if (index < 0) {
      if (record.status === "forming") return { kind: Change.IGNORED, index: -1, repainted: false };
      this.#bars.splice(-index - 1, 0, record);
      return { kind: Change.INSERTED, index: -index - 1, repainted: record.revision > 0 };
    }
    const held = this.#bars[index];
    if (!isNewer(record, held)) return { kind: Change.IGNORED, index, repainted: false };
    this.#bars[index] = record;
    return { kind: Change.CHANGED, index, repainted: held.status !== "forming" };
  }
}

function newestOfEach(records) {
  const byStart = new Map();
  for (const record of records) {
    const held = byStart.get(record.start_ms);
    if (held === undefined || isNewer(record, held)) byStart.set(record.start_ms, record);
  }
  return [...byStart.values()].sort((one, other) => one.start_ms - other.start_ms);
}
