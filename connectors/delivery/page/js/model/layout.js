/** What the page remembers between visits, and what it takes from a browser's store: nothing that does not fit. */

import { isZone } from "./times.js";

export const THEMES = Object.freeze(["system", "light", "dark"]);
/** What a page looks like that was never opened before. `watch` null means: every symbol there is. */
export const FRESH = Object.freeze({
  symbol: null,
  timeFrame: "1min",
  indicators: Object.freeze(["MovingAverage", "RSI"]),
  watch: null,
  zone: "UTC",
  log: false,
  theme: "system",
  shortcuts: true,
  watchOpen: true,
});
const isText = (value) => typeof value === "string" && value.length <= 64;
const isTexts = (value) => Array.isArray(value) && value.length <= 1024 && value.every(isText);
const isSwitch = (value) => typeof value === "boolean";
const FITS = {
  symbol: (value) => value === null || isText(value),
  timeFrame: isText,
  indicators: isTexts,
  watch: (value) => value === null || isTexts(value),
  zone: isZone,
  log: isSwitch,
  theme: (value) => THEMES.includes(value),
  shortcuts: isSwitch,
  watchOpen: isSwitch,
};

/** The layout that `text` holds, key by key; what is missing, broken or of another kind is as on a fresh page. */
export function readLayout(text) {
  let stored = {};
  try {
    stored = JSON.parse(text ?? "{}") ?? {};
  } catch {
    // a broken store is an empty one
  }
  return Object.fromEntries(Object.keys(FRESH).map((key) => [key, key in stored && FITS[key](stored[key]) ? stored[key] : FRESH[key]]));
}

/** What to store for `layout`. */
export function writeLayout(layout) {
  return JSON.stringify(Object.fromEntries(Object.keys(FRESH).map((key) => [key, layout[key]])));
}

/**
 * What to open, `{symbol, timeFrame, indicators}`: as `wish` says, what it leaves open as it is in `shown`, else as in `layout`; of time
 * frames and indicators only those `offered`. The symbol is null when there is none.
 */
export function completed(wish, shown, layout, offered) {
  const wishes = [wish, shown, layout].map(({ timeFrame }) => timeFrame);
  return {
    symbol: wish.symbol ?? shown.symbol ?? layout.symbol ?? offered.symbol ?? null,
    timeFrame: wishes.find((name) => offered.timeFrames.includes(name)) ?? offered.timeFrames[0],
    indicators: (wish.indicators ?? shown.indicators ?? layout.indicators).filter((label) => offered.indicators.includes(label)),
  };
}
