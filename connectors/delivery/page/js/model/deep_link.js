/** The part of the address behind `#`: which symbol, time frame and indicators are shown, or which tab. */

export const PIPELINE = "pipeline";
const SYMBOL = /^[A-Za-z0-9._:/=^+-]{1,64}$/;
const FRAME = /^[A-Za-z0-9]{1,16}$/;
const LABEL = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * `#AAPL/5min?i=RSI,MACD` as `{tab, symbol, timeFrame, indicators}`; what is not said, or cannot be meant, is null.
 * A symbol may hold slashes: the last one parts it from the time frame, when a time frame follows.
 */
export function parseLink(hash, timeFrames = null) {
  const link = { tab: "chart", symbol: null, timeFrame: null, indicators: null };
  const [path, query] = split(hash.replace(/^#/, ""), "?");
  if (path === PIPELINE) return { ...link, tab: PIPELINE };
  const [symbol, frame] = symbolAndFrame(decode(path), timeFrames);
  if (SYMBOL.test(symbol)) Object.assign(link, { symbol, timeFrame: frame });
  const labels = new URLSearchParams(query).get("i");
  if (labels !== null) link.indicators = labels.split(",").filter((label) => LABEL.test(label));
  return link;
}

/** The address of what is shown, the opposite of `parseLink`. */
export function formatLink({ symbol, timeFrame, indicators }) {
  const path = encodeURIComponent(symbol).replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%3D", "=").replaceAll("%2B", "+");
  return `#${path}/${timeFrame}${indicators?.length ? `?i=${indicators.join(",")}` : ""}`;
}

function symbolAndFrame(path, timeFrames) {
  const at = path.lastIndexOf("/");
  const frame = at > 0 ? path.slice(at + 1) : "";
  const isFrame = timeFrames ? timeFrames.includes(frame) : FRAME.test(frame);
  return isFrame ? [path.slice(0, at), frame] : [path, null];
}

function split(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
