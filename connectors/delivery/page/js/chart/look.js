/** How a chart is looked at: colours, zone, scale, font. Another look takes another ChartView. */

import { ZoneClock, zoneOfBars } from "../model/times.js";
import { colours } from "../theme.js";

const DAY_MS = 86_400_000;

/** The look that `layout` asks for, of bars `frameMs` long. */
export function lookOf(layout, frameMs) {
  return {
    colours: colours(),
    clock: new ZoneClock(zoneOfBars(layout.zone, frameMs)),
    daily: frameMs >= DAY_MS,
    log: layout.log,
    font: getComputedStyle(document.body).fontFamily,
  };
}
