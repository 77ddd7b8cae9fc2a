/** What the page wants of the WebSocket, series by series, and the channels that lead from what was asked before to what is wanted now. */

/** The name of a series among the wants. */
export const seriesKey = (symbol, timeFrame) => `${timeFrame} ${symbol}`;

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

/** Channels to subscribe and to unsubscribe so that `before` becomes `after`; series with equal wishes share a channel. */
export function planChannels(before, after) {
  const added = [...after].filter(([key, want]) => !isSame(before.get(key), want)).map(([, want]) => want);
  const gone = [...before].filter(([key]) => !after.has(key)).map(([, want]) => want);
  return { subscribe: channels(added, full), unsubscribe: channels(gone, bare) };
}

function isSame(one, other) {
  return one !== undefined && JSON.stringify(one) === JSON.stringify(other);
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

const bare = (want) => ({ channel: "bars", time_frames: [want.timeFrame] });
const full = (want) => ({ ...bare(want), indicators: want.indicators, snapshot: want.snapshot, mode: want.mode, max_hz: want.maxHz });
