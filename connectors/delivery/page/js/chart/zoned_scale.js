/** A time scale whose marks fall on the hours and days of a chosen zone, not on those of UTC. */

/**
 * The chart library weighs points by UTC: midnight counts most, then noon, and so on. Here it weighs the wall clock's readings instead;
 * points keep their true times, so a clock set back confuses nothing.
 *
 * @param {object} library the module lightweight-charts
 * @param {import("../model/times.js").ZoneClock} clock
 */
export function zonedScale(library, clock) {
  const TimeScale = library.defaultHorzScaleBehavior();
  class ZonedScale extends TimeScale {
    fillWeightsForPoints(points, startIndex) {
      const from = Math.max(0, startIndex - 1);
      const shifted = points
        .slice(from)
        .map(({ time, timeWeight }) => ({ timeWeight, time: this.convertHorzItemToInternal(this.#wallClock(time)) }));
      super.fillWeightsForPoints(shifted, startIndex - from);
      shifted.forEach((point, place) => {
        if (from + place >= startIndex) points[from + place].timeWeight = point.timeWeight;
      });
    }

    #wallClock(time) {
      const seconds = this.key(time);
      return seconds + clock.offsetMs(seconds * 1000) / 1000;
    }
  }
  return new ZonedScale();
}
