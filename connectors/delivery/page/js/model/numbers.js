/** How numbers read on the page: fixed decimals where they stand in columns, no digit that says nothing. */

export const NONE = "–";
const MINUS = "\u2212";
const MOST_DECIMALS = 8;
const MOST_OF_VALUES = 12;
const formats = new Map();

/** How many decimals it takes to write every one of `prices` in full, at most 8. */
export function decimalsOf(prices) {
  let decimals = 0;
  for (const price of prices) {
    if (price === null || price === undefined) continue;
    const written = String(price);
    const exponent = /e-(\d+)$/.exec(written);
    const places = exponent
      ? Number(exponent[1])
      : written.length - 1 - (written.includes(".") ? written.indexOf(".") : written.length - 1);
    decimals = Math.max(decimals, places);
  }
  return Math.min(decimals, MOST_DECIMALS);
}

/** A price or value with `decimals`, thousands apart: `1,234.50`. */
export function fixed(value, decimals) {
  if (value === null || value === undefined) return NONE;
  return withMinus(format(decimals, decimals).format(value));
}

/** A count, in full below a hundred thousand, else short: `98,765`, `1.24M`. */
export function compact(value) {
  if (value === null || value === undefined) return NONE;
  const size = Math.abs(value);
  if (size < 1e5) return withMinus(format(0, size < 100 ? 2 : 0).format(value));
  for (const [unit, letter] of [
    [1e12, "T"],
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "K"],
  ]) {
    if (size >= unit) return withMinus(format(0, size >= 100 * unit ? 0 : 2).format(value / unit)) + letter;
  }
  return NONE;
}

/** A value of an indicator in a pane of its own, with `decimals`; short when it is huge. */
export function reading(value, decimals = 2) {
  return value !== null && value !== undefined && Math.abs(value) >= 1e5 ? compact(value) : fixed(value, decimals);
}

/** How many decimals values of this size take so that the largest shows four digits, at least 2. */
export function decimalsForSize(size) {
  if (!(size > 0)) return 2;
  return Math.min(MOST_OF_VALUES, Math.max(2, 3 - Math.floor(Math.log10(size))));
}

/** A difference with its sign, `+0.35`; zero has none. */
export function signed(value, decimals) {
  if (value === null || value === undefined) return NONE;
  const text = fixed(Math.abs(value), decimals);
  return Number(value.toFixed(decimals)) === 0 ? text : (value > 0 ? "+" : MINUS) + text;
}

/** From one price to another: the difference, in percent, and which way. Null where one of them is missing. */
export function changeOf(from, to) {
  if (from === null || from === undefined || to === null || to === undefined) return null;
  return { difference: to - from, percent: from === 0 ? null : (100 * (to - from)) / from, direction: Math.sign(to - from) };
}

/** `+0.19%`, of what `changeOf` says. */
export function percent(change) {
  return change === null || change.percent === null ? NONE : `${signed(change.percent, 2)}%`;
}

/** A length of time, in its largest two units: `180 ms`, `1.2 s`, `3 min 5 s`, `2 d 4 h`. */
export function duration(ms) {
  if (ms === null || ms === undefined) return NONE;
  if (ms < 0) return MINUS + duration(-ms);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const parts = [
    [seconds / 86400, "d"],
    [(seconds / 3600) % 24, "h"],
    [(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count >= 1);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => Math.floor(count) > 0)
    .map(([count, unit]) => `${Math.floor(count)} ${unit}`)
    .join(" ");
}

/** The same in its largest unit alone: `18 min`. */
export function coarse(ms) {
  if (ms === null || ms === undefined || ms < 1000) return duration(ms);
  const [size, unit] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1000, "s"],
  ].find(([least]) => ms >= least);
  return `${Math.floor(ms / size)} ${unit}`;
}

/** A size in bytes: `512 B`, `34.2 KiB`. */
export function bytes(size) {
  if (size === null || size === undefined) return NONE;
  let unit = 0;
  let value = size;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}

function withMinus(text) {
  return text.replace("-", MINUS);
}

function format(least, most) {
  const key = `${least} ${most}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat("en-US", { minimumFractionDigits: least, maximumFractionDigits: most }));
  return formats.get(key);
}
