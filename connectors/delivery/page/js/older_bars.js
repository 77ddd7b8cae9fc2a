/** History before the bars that are loaded, asked for when somebody scrolls there. */

import { getJson } from "./api.js";

const ROWS = 600;
const PAUSE_MS = 3_000;

/** One request at a time. Calls `onBars(series, added)` when there are more bars, or when it is known that there are none. */
export class OlderBars {
  #asking = null;

  constructor(onBars) {
    this.onBars = onBars;
  }

  /** Leave the series whose history was asked for. */
  leave() {
    this.#asking?.abort();
    this.#asking = null;
  }

  /** Ask for what lies before `series`, unless that is under way or there is nothing. */
  async ask(series, labels) {
    if (this.#asking !== null || series.reachesBack || series.length === 0) return;
    const asking = new AbortController();
    this.#asking = asking;
    const { symbol, timeFrame, first } = series;
    const query = { symbols: symbol, time_frame: timeFrame, end: first.start_ms, limit: ROWS, sort: "desc", indicators: labels.join(",") };
    try {
      const older = (await getJson("v1/bars", query, asking)).bars[symbol] ?? [];
      if (this.#asking !== asking) return;
      this.#asking = null;
      if (older.length < ROWS) series.reachesBack = true;
      this.onBars(series, series.takeOlder(older));
    } catch {
      setTimeout(() => this.#asking === asking && this.leave(), PAUSE_MS); // not at once again
    }
  }
}
