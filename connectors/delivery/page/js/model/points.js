/** A bar as the chart library wants it: a candle, a column of volume, a point of a line. A bar without prices is a gap. */

import { hasPrices } from "./bars.js";
import { valueOf } from "./indicators.js";

/** Times of the library are in seconds. */
export const timeOf = (bar) => bar.start_ms / 1000;

/** A candle; a forming one is paler inside. */
export function candleOf(bar, colours) {
  const time = timeOf(bar);
  if (!hasPrices(bar)) return { time };
  const candle = { time, open: bar.open, high: bar.high, low: bar.low, close: bar.close };
  if (bar.status !== "forming") return candle;
  return { ...candle, color: bar.close >= bar.open ? colours["up-soft"] : colours["down-soft"] };
}

/** A column of volume in the colour of its bar. */
export function volumeOf(bar, colours) {
  const rises = !hasPrices(bar) || bar.close >= bar.open;
  return { time: timeOf(bar), value: bar.volume, color: rises ? colours["up-volume"] : colours["down-volume"] };
}

/** A point of an indicator's line; columns are coloured by their sign. */
export function pointOf(bar, label, line, colours) {
  const value = valueOf(bar, label, line.output);
  const time = timeOf(bar);
  if (value === null) return { time };
  if (line.style !== "histogram") return { time, value };
  return { time, value, color: value >= 0 ? colours["up-soft"] : colours["down-soft"] };
}
