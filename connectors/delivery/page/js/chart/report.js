/**
 * What the chart shows, in words and attributes: for screen readers, and for whoever watches the page from
 * outside. Read by nothing here.
 */

import { mark } from "../elements.js";
import { fixed } from "../model/numbers.js";

const LABEL_EVERY_MS = 1_000;

/** Writes attributes of the chart's container; the sentence at most once a second, and the newest one in the end. */
export class Report {
  #node;
  #sentence = "Chart";
  #timer = 0;
  #symbol = null;

  constructor(node) {
    this.#node = node;
  }

  /** @param {object} shown `{state, series, revised, incomplete, indicators, panes, updates, repainted, following, log, zone, decimals}` */
  write(shown) {
    const { series } = shown;
    const last = series?.last;
    const values = {
      state: shown.state,
      symbol: series?.symbol ?? null,
      "time-frame": series?.timeFrame ?? null,
      bars: series?.length ?? 0,
      "first-start-ms": series?.first?.start_ms ?? null,
      "last-start-ms": last?.start_ms ?? null,
      "last-close": last?.close ?? null,
      "last-status": last?.status ?? null,
      "last-revision": last?.revision ?? null,
      revised: shown.revised,
      incomplete: shown.incomplete,
      repainted: shown.repainted,
      updates: shown.updates,
      indicators: shown.indicators.join(","),
      panes: shown.panes,
      following: shown.following,
      scale: shown.log ? "log" : "linear",
      "time-zone": shown.zone,
    };
    for (const [name, value] of Object.entries(values)) mark(this.#node, `data-${name}`, value);
    this.#sentence = sentenceOn(series, shown.decimals);
    this.#timer ||= setTimeout(() => this.#label(), LABEL_EVERY_MS);
    if (series?.symbol !== this.#symbol) this.#label();
    this.#symbol = series?.symbol;
  }

  #label() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    mark(this.#node, "aria-label", this.#sentence);
  }
}

function sentenceOn(series, decimals) {
  if (series === null) return "Chart";
  const close = series.last?.close ?? null;
  return `${series.symbol} ${series.timeFrame}, ${series.length} bars${close === null ? "" : `, last close ${fixed(close, decimals)}`}`;
}
