/** What the page wants of the WebSocket, series by series, and the channels that lead from what was asked before to what is wanted now. */

/** The name of a series among the wants. */
export const seriesKey = (symbol, timeFrame) => `${timeFrame} ${symbol}`;

const SNAPSHOT = 300;
const LONGEST_SNAPSHOT = 5_000;

/** How many bars the chart asks for when it holds `loaded` already: these, so that they stay, within limits. */
export const snapshotFor = (loaded) => Math.min(LONGEST_SNAPSHOT, Math.max(SNAPSHOT, loaded));

/**
 * What chart and watch-list want together, by series; the chart's wish comes first where both want the same one.
 *
 * @param {{symbol: string, timeFrame: string, indicators: string[], snapshot: number, nonce: number}|null} chart
 * @param {{symbols: Iterable<string>, timeFrame: string}|null} watch
 */
export function wantsOf(chart, watch, maxHz = 4) {
  const wants = new Map();
  for (const symbol of watch?.symbols ?? []) {
    wants.set(seriesKey(symbol, watch.timeFrame), {
      symbol,
      timeFrame: watch.timeFrame,
      indicators: [],
      mode: "latest",
      maxHz,
      snapshot: 0,
    });
  }
  if (chart) wants.set(seriesKey(chart.symbol, chart.timeFrame), { ...chart, mode: "live", maxHz });
  return wants;
}

/**
 * Channels to subscribe and to unsubscribe so that `before` becomes `after`; series with equal wishes share a channel. How long a snapshot
 * would be is no wish of its own: it grows with each bar, and is asked for with the others.
 */
export function planChannels(before, after) {
  const added = [...after].filter(([key, want]) => !isSame(before.get(key), want)).map(([, want]) => want);
  const gone = [...before].filter(([key]) => !after.has(key)).map(([, want]) => want);
  return { subscribe: channels(added, full), unsubscribe: channels(gone, bare) };
}

function isSame(one, other) {
  return one !== undefined && wish(one) === wish(other);
}

function channels(wants, shape) {
  const bySort = new Map();
  for (const want of wants) {
    const channel = shape(want);
    const sort = JSON.stringify([channel, want.nonce]);
    const held = bySort.get(sort) ?? { ...channel, symbols: [] };
    held.symbols.push(want.symbol);
    bySort.set(sort, held);
  }
  return [...bySort.values()];
}

const wish = (want) => JSON.stringify({ ...want, snapshot: undefined });
const bare = (want) => ({ channel: "bars", time_frames: [want.timeFrame] });
const full = (want) => ({ ...bare(want), indicators: want.indicators, snapshot: want.snapshot, mode: want.mode, max_hz: want.maxHz });
