/** How the chart looks: options of lightweight-charts made from tokens, zone and decimals. */

import { fixed } from "../model/numbers.js";

export const BAR_SPACING = 8;
export const RIGHT_OFFSET = 4;
const LEAST_ROOM = 0.08;
const OWN_BOTTOM = 0.12;
const MOST_ROOM = 0.4;
const BELOW_PRICES = 0.24;
const VOLUME_MARGINS = { top: 0.82, bottom: 0 };
const LOGARITHMIC = 1;
const DASHED = 2;

/** Options of the chart as a whole. */
export function chartOptions({ colours, clock, daily, font }) {
  return {
    autoSize: true,
    layout: {
      background: { type: "solid", color: colours.surface },
      textColor: colours["text-soft"],
      fontFamily: font,
      fontSize: 12,
      attributionLogo: true,
      panes: { separatorColor: colours.line, separatorHoverColor: colours["line-strong"], enableResize: true },
    },
    grid: { vertLines: { color: colours.grid }, horzLines: { color: colours.grid } },
    handleScroll: { vertTouchDrag: false },
    crosshair: {
      mode: 0,
      vertLine: { color: colours["line-strong"], labelBackgroundColor: colours["text-soft"] },
      horzLine: { color: colours["line-strong"], labelBackgroundColor: colours["text-soft"] },
    },
    rightPriceScale: { borderColor: colours.line },
    timeScale: {
      borderColor: colours.line,
      timeVisible: !daily,
      secondsVisible: false,
      rightOffset: RIGHT_OFFSET,
      barSpacing: BAR_SPACING,
      minBarSpacing: 1,
      maxBarSpacing: 60,
      tickMarkFormatter: (time, kind) => clock.mark(time * 1000, kind),
    },
    localization: { locale: "en-US", timeFormatter: (time) => clock.moment(time * 1000, { time: !daily }) },
  };
}

/** Options of the price scale: logarithmic or linear, with volume below and above `room` for the read-out, a share of the height. */
export function priceScaleOptions(log, room) {
  return { mode: log ? LOGARITHMIC : 0, scaleMargins: { top: roomy(room), bottom: BELOW_PRICES } };
}

const roomy = (room) => Math.min(MOST_ROOM, Math.max(LEAST_ROOM, room));

/** Options of a price scale below the prices: linear, with `room` for the legend. */
export const ownScaleOptions = (room) => ({ mode: 0, scaleMargins: { top: roomy(room), bottom: OWN_BOTTOM } });

/** Options of the candles. */
export function candleOptions(colours, decimals) {
  return {
    upColor: colours.up,
    downColor: colours.down,
    borderUpColor: colours.up,
    borderDownColor: colours.down,
    wickUpColor: colours.up,
    wickDownColor: colours.down,
    priceFormat: priceFormat(decimals),
  };
}

/** Options of the columns of volume, which share the pane of the prices on a scale of their own. */
export const volumeOptions = () => ({
  priceScaleId: "volume",
  priceFormat: { type: "volume" },
  lastValueVisible: false,
  priceLineVisible: false,
});
export const volumeScaleOptions = () => ({ scaleMargins: VOLUME_MARGINS });

/** Options of a line or columns of an indicator; those of a band are thin and have no label on the scale. */
export function lineOptions(colour, line, format, isBand) {
  const isColumn = line.style === "histogram";
  const common = {
    color: colour,
    priceLineVisible: false,
    lastValueVisible: !isColumn && !isBand,
    crosshairMarkerVisible: false,
    priceFormat: format,
  };
  return isColumn ? { ...common, base: 0 } : { ...common, lineWidth: line.place === 0 && !isBand ? 2 : 1 };
}

/** Options of a reference line. */
export function levelOptions(level, colours) {
  return { price: level, color: colours["line-strong"], lineWidth: 1, lineStyle: DASHED, axisLabelVisible: false, title: "" };
}

/** Prices as the read-out writes them. */
export function priceFormat(decimals) {
  return { type: "custom", minMove: 10 ** -decimals, formatter: (price) => fixed(price, decimals) };
}
