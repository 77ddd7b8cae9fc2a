/** The tab Chart: one series with its history, kept up to date, drawn, read out and reported. */

import { keepChartKeys } from "./chart/chart_keys.js";
import { ChartView } from "./chart/chart_view.js";
import { lookOf } from "./chart/look.js";
import { ReadOut } from "./chart/read_out.js";
import { Report } from "./chart/report.js";
import { byId, say } from "./elements.js";
import { BarSeries, Change, countMarks, decimalsOfBars } from "./model/bars.js";
import { chosen, placesOf } from "./model/indicators.js";
import { OlderBars } from "./older_bars.js";
import { announce, StatePanel } from "./states.js";

const MOST_CHANGES = 256;

/**
 * `library` is the module lightweight-charts, `layout` what is remembered, `loop` a FrameLoop.
 * Calls `onRetry()` when somebody wants the series to be asked for again.
 */
export class ChartPanel {
  #view = null;
  #series = null;
  #frameMs = 60_000;
  #decimals = 2;
  #knownDecimals = 0;
  #catalogue = [];
  #indicators = [];
  #labels = [];
  #changes = [];
  #pointed = null;
  #older = new OlderBars((series, added) => this.#takeOlder(series, added));
  #updates = 0;
  #repainted = null;
  #fresh = true;
  /** Whether all is to be drawn anew, so that single changes need not be. */
  #stale = false;
  #readOut = new ReadOut(byId("readout"), byId("pane-legends"));
  #report = new Report(byId("chart"));
  #container = byId("chart");

  constructor(library, layout, loop, { onRetry }) {
    Object.assign(this, { library, layout, loop });
    /** What is said where there is nothing to draw. */
    this.words = new StatePanel(byId("chart-state"), () => this.#soon(), onRetry);
    byId("go-live").addEventListener("click", () => this.goLive());
    keepChartKeys(this.#container, {
      step: (by) => this.#view && this.#step(by),
      leave: () => this.#point(null),
      zoom: (factor) => this.#view?.zoom(factor),
      goToOldest: () => this.#view?.goToOldest(),
      goLive: () => this.goLive(),
    });
    this.#container.addEventListener("blur", () => this.#point(null));
    new ResizeObserver(() => this.#soon()).observe(this.#container);
  }

  /** How many bars to ask for so that what is loaded stays loaded. */
  get loaded() {
    return this.#series?.length ?? 0;
  }

  offer(catalogue) {
    this.#catalogue = catalogue;
  }

  /** Open a series; whether it is another one. Its bars come with the next snapshot, the same one stays drawn until then. */
  open(symbol, timeFrame, frameMs, labels, knownDecimals) {
    const isSame = this.#series?.symbol === symbol && this.#series.timeFrame === timeFrame;
    this.#indicators = chosen(this.#catalogue, labels);
    this.#labels = this.#indicators.map(({ label }) => label);
    this.#older.leave(); // what is under way has not these indicators
    if (isSame) {
      this.#rebuildLines();
      return false;
    }
    this.#series = new BarSeries(symbol, timeFrame);
    this.#frameMs = frameMs;
    this.#knownDecimals = knownDecimals;
    this.#decimals = Math.max(2, knownDecimals);
    this.#fresh = true;
    this.#changes = [];
    [this.#pointed, this.#updates, this.#repainted] = [null, 0, null];
    this.#readOut.clear();
    this.words.wait(`Loading ${symbol} ${timeFrame}`);
    return true;
  }

  /** Take the snapshot of the series that is open. */
  takeSnapshot(bars) {
    const [series, isFirst] = [this.#series, this.#fresh];
    this.#older.leave(); // it may begin elsewhere now
    series.replace(bars);
    this.#changes = [];
    this.#stale = true;
    if (series.length === 0) {
      this.#sayEmpty();
      return;
    }
    this.#decimals = Math.max(this.#knownDecimals, decimalsOfBars(this.#series.bars));
    this.loop.soon("paint-all", () => this.#paintAll(isFirst));
  }

  /** Take a record of the series that is open; before its snapshot there is nothing to add it to. */
  take(record) {
    if (this.words.state === "loading" && this.loaded === 0) return;
    const change = this.#series.take(record);
    if (change.kind === Change.IGNORED) return;
    this.#updates += 1;
    if (change.repainted) this.#noteRepaint(record);
    if (this.words.state !== "ready") {
      this.#decimals = Math.max(this.#knownDecimals, decimalsOfBars(this.#series.bars));
      this.loop.soon("paint-all", () => this.#paintAll(true));
      return;
    }
    if (this.#changes.length > MOST_CHANGES) this.#stale = true; // nobody has been looking for a while
    if (this.#stale) {
      this.loop.soon("paint-all", () => this.#paintAll(false));
      return;
    }
    if (change.kind === Change.INSERTED)
      this.#changes = this.#changes.map((each) => (each.index >= change.index ? { ...each, index: each.index + 1 } : each));
    this.#changes.push(change);
    this.#soon();
  }

  /** Other colours or another zone: draw everything anew, at the same place. */
  rebuild() {
    const range = this.#view?.visibleRange ?? null;
    this.#leaveView();
    if (this.words.state !== "ready") return;
    this.#paintAll(false);
    this.#view.visibleRange = range;
  }

  setLog(log) {
    this.#view?.setLog(log);
    this.#soon();
  }

  goLive() {
    this.#view?.goLive();
    this.#soon();
  }

  /** Look at the newest bars as at first, unless somebody has moved. */
  fit() {
    this.#view?.fit();
  }

  #sayEmpty() {
    const { symbol, timeFrame } = this.#series;
    this.words.sayNothing(
      `No ${timeFrame} bars of ${symbol} yet`,
      "They appear here by themselves as soon as ticks of this symbol come in. Perhaps you meant another symbol?",
    );
  }

  #paintAll(isFirst) {
    if (this.#series.length === 0) return;
    if (isFirst) this.#leaveView();
    this.#view ??= this.#makeView();
    this.words.ready();
    this.#rebuildLines();
    if (isFirst) {
      this.#fresh = false;
      this.#view.resetView();
      const { symbol, timeFrame, length } = this.#series;
      announce(`${symbol} ${timeFrame} loaded, ${length} bars`);
      requestAnimationFrame(() => performance.mark("first-candle"));
    }
  }

  #rebuildLines() {
    if (this.#view === null || this.#series.length === 0) return;
    this.#view.setIndicators(this.#indicators, placesOf(this.#catalogue), this.#series.bars, this.#decimals);
    this.#view.paintAll(this.#series);
    this.#changes = [];
    this.#stale = false;
    const { symbol, timeFrame } = this.#series;
    this.#readOut.build({ symbol, timeFrame, view: this.#view, decimals: this.#decimals });
    this.#soon();
  }

  #makeView() {
    const onPoint = (index) => {
      this.#pointed = index === null ? null : (this.#series.at(index)?.start_ms ?? null);
      this.#soon();
    };
    return new ChartView(this.#container, this.library, lookOf(this.layout, this.#frameMs), { onPoint, onMove: () => this.#soon() });
  }

  #leaveView() {
    this.#view?.dispose();
    this.#view = null;
  }

  #takeOlder(series, added) {
    if (series !== this.#series) return;
    if (added > 0) this.#view?.paintAll(series);
    this.#soon();
  }

  #soon() {
    this.loop.soon("chart", () => this.#paint());
  }

  #paint() {
    if (this.words.state === "ready" && this.#view !== null && !this.#stale) {
      if (this.#changes.length) this.#view.paint(this.#changes);
      this.#changes = [];
      const place = this.#pointed === null ? this.#series.length - 1 : this.#series.find(this.#pointed);
      this.#readOut.show(this.#series, place < 0 ? this.#series.length - 1 : place);
      this.#readOut.place(this.#container);
      if (this.#view.isNearTheBeginning) this.#older.ask(this.#series, this.#labels);
    }
    this.#tell();
  }

  #tell() {
    const following = this.#view?.isFollowing ?? true;
    byId("go-live").hidden = following || this.words.state !== "ready";
    const marks = countMarks(this.#series?.bars ?? []);
    for (const [name, count] of Object.entries(marks)) say(byId(`count-${name}`), count ? `(${count})` : "");
    const { zone, log } = this.layout;
    const [state, series, updates, repainted, decimals] = [this.words.state, this.#series, this.#updates, this.#repainted, this.#decimals];
    const shown = { state, series, ...marks, repainted, updates, indicators: this.#labels, panes: this.#view?.paneCount ?? 0 };
    this.#report.write({ ...shown, following, log, zone, decimals });
  }

  #noteRepaint(record) {
    this.#repainted = `${record.start_ms}:${record.revision}:${record.close}`;
    if (this.#view === null) return;
    const { clock, daily } = this.#view.look;
    announce(`Bar ${clock.moment(record.start_ms, { time: !daily })} revised`);
  }

  #point(index) {
    this.#view?.point(index);
    this.#pointed = index === null ? null : (this.#series.at(index)?.start_ms ?? null);
    this.#soon();
  }

  /** Move the crosshair by so many bars; from the newest one, when it is nowhere. */
  #step(by) {
    const last = this.#series.length - 1;
    const place = this.#pointed === null ? last : this.#series.find(this.#pointed);
    this.#point(Math.min(last, Math.max(0, place + by)));
  }
}
