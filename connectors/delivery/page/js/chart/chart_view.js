/** The chart: candles with volume and indicators of one series, moved by changes of its bars. It knows nothing of where they come from. */

import { Change } from "../model/bars.js";
import { candleOf, timeOf, volumeOf } from "../model/points.js";
import { BarMarks } from "./bar_marks.js";
import {
  BAR_SPACING,
  candleOptions,
  chartOptions,
  priceScaleOptions,
  RIGHT_OFFSET,
  volumeOptions,
  volumeScaleOptions,
} from "./chart_options.js";
import { IndicatorLines } from "./indicator_lines.js";
import { zonedScale } from "./zoned_scale.js";

const NEAR_THE_BEGINNING = 40;
const WIDEST_BAR = 24;
/** Pixels that the width of a bar must differ by. */
const ZOOMED = 0.5;
const MOST_SINGLE_UPDATES = 64;

/**
 * One chart for one way of looking: colours and zone are given once, another zone takes another view (`dispose`, then new).
 * Calls `onPoint(index|null)` with the bar under the crosshair, `onMove()` when what is visible has changed.
 */
export class ChartView {
  #chart;
  #candles;
  #volume;
  #marks;
  #lines;
  #bars = null;
  /** How many bars the chart library holds. */
  #painted = 0;
  /** How wide bars were made, in pixels. */
  #spacing = BAR_SPACING;
  /** Share of each pane that stays free at the top, by its place. */
  #rooms = new Map();

  constructor(container, library, look, { onPoint, onMove }) {
    this.look = look;
    this.#chart = library.createChartEx(container, zonedScale(library, look.clock), chartOptions(look));
    this.#candles = this.#chart.addSeries(library.CandlestickSeries, candleOptions(look.colours, 2), 0);
    this.#volume = this.#chart.addSeries(library.HistogramSeries, volumeOptions(), 0);
    this.#volume.priceScale().applyOptions(volumeScaleOptions());
    this.#marks = new BarMarks(look.colours);
    this.#candles.attachPrimitive(this.#marks);
    this.#lines = new IndicatorLines(this.#chart, library, look.colours);
    this.setLog(look.log);
    this.#chart.subscribeCrosshairMove(({ time }) => onPoint(time === undefined || !this.#bars ? null : this.#bars.find(time * 1000)));
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange(onMove);
  }

  dispose() {
    this.#candles.detachPrimitive(this.#marks); // its lights go out a moment later, and must not wake a chart that is gone
    this.#chart.remove();
  }

  setLog(log) {
    this.look.log = log;
    this.#candles.priceScale().applyOptions(priceScaleOptions(log, this.#rooms.get(0) ?? 0));
    this.#lines.keepLinear(this.#rooms);
  }

  /** Keep so many pixels at the top of each pane free, by its place. */
  keepFree(pixels) {
    const heights = this.#chart.panes().map((pane) => pane.getHeight());
    const rooms = new Map(
      [...pixels].filter(([place]) => heights[place] > 0).map(([place, free]) => [place, Math.ceil((50 * free) / heights[place]) / 50]),
    );
    if (String([...rooms]) === String([...this.#rooms])) return;
    this.#rooms = rooms;
    this.setLog(this.look.log);
  }

  /** How wide the scale on the right is, in pixels. */
  get scaleWidth() {
    return this.#candles.priceScale().width();
  }

  /** Which indicators there are: drawn with the next `paintAll`. */
  setIndicators(indicators, places, bars, decimals) {
    this.#candles.applyOptions({ priceFormat: candleOptions(this.look.colours, decimals).priceFormat });
    this.#lines.show(indicators, places, bars, decimals);
    this.#lines.keepLinear(this.#rooms);
  }

  /** Draw all of `barSeries`. */
  paintAll(barSeries) {
    this.#bars = barSeries;
    this.#marks.of(barSeries);
    const { bars } = barSeries;
    const { colours } = this.look;
    this.#candles.setData(bars.map((bar) => candleOf(bar, colours)));
    this.#volume.setData(bars.map((bar) => volumeOf(bar, colours)));
    this.#lines.setData(bars);
    this.#painted = bars.length;
  }

  /** Draw what `changes` (of BarSeries.take) did, in their order. */
  paint(changes) {
    const kinds = new Set(changes.map(({ kind }) => kind));
    if (kinds.has(Change.INSERTED) || changes.length > MOST_SINGLE_UPDATES) this.paintAll(this.#bars);
    else for (const index of [...new Set(changes.map((change) => change.index))].sort((one, other) => one - other)) this.#update(index);
    for (const { repainted, index } of changes) if (repainted) this.#marks.light(this.#bars.at(index).start_ms);
  }

  #update(index) {
    const bar = this.#bars.at(index);
    const isOlder = index < this.#painted - 1;
    this.#painted = Math.max(this.#painted, index + 1);
    this.#candles.update(candleOf(bar, this.look.colours), isOlder);
    this.#volume.update(volumeOf(bar, this.look.colours), isOlder);
    this.#lines.update(bar, isOlder);
  }

  /** Whether the newest bar is in sight. */
  get isFollowing() {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    return range === null || this.#bars === null || range.to >= this.#bars.length - 1.5;
  }

  /** Whether what is visible comes near the oldest bar there is. */
  get isNearTheBeginning() {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    return range !== null && range.from < NEAR_THE_BEGINNING;
  }

  get paneCount() {
    return this.#chart.panes().length;
  }

  get indicatorLines() {
    return this.#lines.shown;
  }

  /** The upper edge of a pane on the screen, null while it is not laid out. */
  paneTop(place) {
    return this.#chart.panes()[place]?.getHTMLElement()?.getBoundingClientRect().top ?? null;
  }

  goLive() {
    this.#chart.timeScale().scrollToPosition(RIGHT_OFFSET, false);
  }

  /** As many bars as fit at the usual width, the newest on the right; where there are fewer they are wider. */
  resetView() {
    const scale = this.#chart.timeScale();
    const fitting = scale.width() / (this.#bars.length + RIGHT_OFFSET);
    this.#spacing = Math.min(WIDEST_BAR, Math.max(BAR_SPACING, fitting));
    scale.applyOptions({ barSpacing: this.#spacing });
    this.goLive();
  }

  /** The same once more when there are more bars by now, where nobody has scrolled or zoomed since. */
  fit() {
    const range = this.visibleRange;
    if (range === null || !this.isFollowing) return;
    const isZoomed = Math.abs(this.#chart.timeScale().width() / (range.to - range.from) - this.#spacing) > ZOOMED;
    if (!isZoomed) this.resetView();
  }

  /** Put the crosshair on a bar and see that it is visible; null takes it away. */
  point(index) {
    const bar = index === null ? undefined : this.#bars?.at(index);
    if (bar === undefined) {
      this.#chart.clearCrosshairPosition();
      return;
    }
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (range && (index < range.from + 1 || index > range.to - 1)) {
      const half = (range.to - range.from) / 2;
      scale.setVisibleLogicalRange({ from: index - half, to: index + half });
    }
    this.#chart.setCrosshairPosition(bar.close ?? 0, timeOf(bar), this.#candles);
  }

  zoom(factor) {
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (range === null) return;
    const width = (range.to - range.from) * factor;
    scale.setVisibleLogicalRange({ from: range.to - Math.max(10, width), to: range.to });
  }

  goToOldest() {
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (range !== null) scale.setVisibleLogicalRange({ from: 0, to: range.to - range.from });
  }

  get visibleRange() {
    return this.#chart.timeScale().getVisibleLogicalRange();
  }

  set visibleRange(range) {
    if (range) this.#chart.timeScale().setVisibleLogicalRange(range);
  }
}
