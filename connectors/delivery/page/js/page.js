/** The page: what is open, what is remembered, and who is told of which message. */

import { ApiError, getJson } from "./api.js";
import { ChartPanel } from "./chart_panel.js";
import { ConnectionBadge } from "./connection_badge.js";
import { isNarrow, keepControls } from "./controls.js";
import { byId, mark } from "./elements.js";
import { FrameLoop } from "./frame_loop.js";
import { Login } from "./login.js";
import { recall, remember } from "./memory.js";
import { failureTexts, State } from "./model/connection.js";
import { formatLink, parseLink, PIPELINE } from "./model/deep_link.js";
import { completed } from "./model/layout.js";
import { seriesKey, snapshotFor, wantsOf } from "./model/wants.js";
import { Later, Settled } from "./pacing.js";
import { PipelinePanel } from "./pipeline/panel.js";
import { SearchBox } from "./search_box.js";
import { LiveSocket } from "./socket.js";
import { announce } from "./states.js";
import { showTab } from "./tabs.js";
import { IndicatorDialog, TimeFrameButtons } from "./tools.js";
import { WatchChoice } from "./watch_choice.js";
import { WatchList } from "./watch_list.js";

const SYMBOLS_EVERY_MS = 20_000;
const AGAIN_MS = 3_000;
/** A key held down chooses faster than the service should be asked. */
const SETTLED_MS = 250;

export class Page {
  layout = recall();
  /** `{symbol, timeFrame, indicators}` of what is open, null before anything is. */
  #shown = null;
  #timeFrames = [];
  #names = [];
  #catalogue = [];
  #nonce = 0;
  #again = new Later();
  #wants = new Settled(() => this.#ask(), SETTLED_MS);

  /** `library` is the module lightweight-charts. */
  constructor(library) {
    const loop = new FrameLoop();
    this.chart = new ChartPanel(library, this.layout, loop, { onRetry: () => this.again() });
    this.watched = new WatchChoice(this.layout);
    this.watch = new WatchList(loop, {
      onOpen: (symbol) => this.open({ symbol }, { fromWatch: true }),
      onRemove: (symbol) => this.#watchOther(() => this.watched.remove(symbol), `${symbol} removed from the watch-list`),
    });
    this.pipeline = new PipelinePanel({ onUnauthorized: () => this.login.ask() });
    this.search = new SearchBox((symbol) => this.open({ symbol }, { focusChart: true }));
    this.frames = new TimeFrameButtons((timeFrame) => this.open({ timeFrame }));
    this.dialog = new IndicatorDialog((indicators) => this.open({ indicators }));
    this.login = new Login(() => this.start());
    this.badge = new ConnectionBadge({
      onRetry: () => (this.#timeFrames.length ? this.socket.tryNow() : this.start()),
      onCaughtUp: () => (this.watch.fillAnew(), this.chart.fit()),
    });
    this.socket = new LiveSocket({
      onEvents: (events) => events.forEach((event) => this.#notice(event)),
      onState: (state, reason) => this.badge.show(state, reason),
    });
    keepControls(this);
    this.openWatch(this.layout.watchOpen && !isNarrow(), { kept: false });
  }

  /** Find out who is there and what can be shown, then open it; while nobody answers, ask again. */
  async start() {
    this.#again.forget();
    try {
      const session = await getJson("v1/session");
      this.login.offerLogOut(session.auth === "keys");
      this.socket.start();
      const [frames, catalogue] = await Promise.all([getJson("v1/time-frames"), getJson("v1/indicators"), this.watched.load()]);
      this.#offer(frames.time_frames, catalogue.indicators);
    } catch (error) {
      this.#notStarted(error);
      return;
    }
    this.follow(location.hash);
    this.#again.in(AGAIN_MS, () => this.#lookForSymbols());
  }

  #notStarted(error) {
    if (error instanceof ApiError && error.status === 401) {
      this.chart.words.wait("Log in to see the chart");
      this.login.ask();
      return;
    }
    this.chart.words.fail(...failureTexts(error.status, error.message));
    this.badge.show(State.RECONNECTING);
    this.#again.in(AGAIN_MS, () => this.start());
  }

  #offer(timeFrames, catalogue) {
    this.#timeFrames = timeFrames;
    this.#names = timeFrames.map(({ time_frame: name }) => name);
    this.#catalogue = catalogue;
    this.frames.offer(this.#names);
    this.dialog.offer(catalogue);
    this.chart.offer(catalogue);
    const line = timeFrames.find(({ time_frame: name }) => name === "15min") ?? timeFrames[0];
    this.watch.setLine(line.time_frame, line.duration_ms);
  }

  /** Show what the address says, the rest as it was last time. */
  follow(hash) {
    const { tab, ...link } = parseLink(hash, this.#names);
    if (tab === PIPELINE) this.show(PIPELINE);
    else this.open(link);
    this.#watchAgain();
  }

  /** Open a symbol, a time frame, indicators; what is not said stays as it is. */
  open(wish, { fromWatch = false, focusChart = false } = {}) {
    if (this.#timeFrames.length === 0) return; // nobody has said yet what there is
    const offered = { symbol: this.watched.symbols[0], timeFrames: this.#names, indicators: this.#catalogue.map(({ label }) => label) };
    const next = completed(wish, this.#shown ?? {}, this.layout, offered);
    if (next.symbol === null) {
      this.chart.words.sayNothing("Nothing has been traded yet", "The first symbol opens here by itself as soon as it is there.");
      return;
    }
    this.#shown = next;
    Object.assign(this.layout, next);
    this.remember();
    document.title = `${next.symbol} ${next.timeFrame} · Tickloom`;
    const frame = this.#timeFrames.find(({ time_frame: name }) => name === next.timeFrame);
    const decimals = this.watched.decimals.get(next.symbol) ?? 0;
    if (this.chart.open(next.symbol, next.timeFrame, frame.duration_ms, next.indicators, decimals)) this.#nonce += 1;
    this.show("chart");
    this.#tellControls();
    this.#wants.wish();
    if (fromWatch && isNarrow()) this.openWatch(false);
    if (focusChart) byId("chart").focus();
  }

  /** Ask for what is open once more. */
  again() {
    if (this.#shown === null) {
      this.start();
      return;
    }
    this.#nonce += 1;
    this.chart.words.wait(`Loading ${this.#shown.symbol} ${this.#shown.timeFrame}`);
    this.#wants.wish();
  }

  #ask() {
    const chart = this.#shown && { ...this.#shown, snapshot: snapshotFor(this.chart.loaded), nonce: this.#nonce };
    this.socket.want(wantsOf(chart, { symbols: this.watched.symbols, timeFrame: this.#names[0] }));
  }

  #notice(event) {
    const act = {
      bar: () => this.#takeBar(event),
      snapshot: () => this.#takeSnapshot(event),
      beat: () => this.badge.beat(event),
      refused: () =>
        event.symbol === this.#shown?.symbol &&
        this.chart.words.fail(`${event.symbol} cannot be shown`, `The delivery service says: ${event.code}.`),
      unauthorized: () => this.login.ask(),
      error: () => this.chart.words.state === "loading" && this.chart.words.fail("The bars cannot be read now", event.detail),
      resumed: () => announce("Reconnected"),
      renewed: () => (announce("Reconnected"), this.watch.fillAnew()),
    }[event.kind];
    act?.();
  }

  #isShown(symbol, timeFrame) {
    return this.#shown !== null && seriesKey(symbol, timeFrame) === seriesKey(this.#shown.symbol, this.#shown.timeFrame);
  }

  #takeBar({ record, early }) {
    if (record.time_frame === this.#names[0]) this.watch.take(record);
    if (!early && this.#isShown(record.stock_id, record.time_frame)) this.chart.take(record);
  }

  #takeSnapshot({ symbol, timeFrame, bars }) {
    if (timeFrame === this.#names[0]) bars.slice(-1).forEach((bar) => this.watch.take(bar));
    if (this.#isShown(symbol, timeFrame)) this.chart.takeSnapshot(bars);
  }

  /** Show a tab, and say so in the address. */
  show(tab) {
    showTab(tab);
    if (tab === PIPELINE) this.pipeline.start();
    else this.pipeline.stop();
    if (tab !== PIPELINE && this.#shown === null) this.open({});
    else history.replaceState(null, "", tab === PIPELINE ? `#${PIPELINE}` : formatLink(this.#shown));
  }

  /** Show or hide the watch-list. */
  openWatch(open, { kept = true } = {}) {
    document.body.dataset.watch = open ? "open" : "closed";
    mark(byId("watch-toggle"), "aria-expanded", String(open));
    if (!kept || isNarrow()) return;
    this.layout.watchOpen = open;
    this.remember();
  }

  /** Watch the symbol that is open. */
  watchShown() {
    const { symbol } = this.#shown;
    this.#watchOther(() => this.watched.add(symbol), `${symbol} added to the watch-list`);
  }

  /** Watch every symbol there is. */
  watchAll() {
    this.#watchOther(() => this.watched.all(), "Every symbol is watched");
  }

  #watchOther(change, sentence) {
    change();
    announce(sentence);
    this.remember();
    this.#watchAgain();
  }

  #watchAgain() {
    this.watch.setSymbols(this.watched.symbols, this.watched.decimals);
    this.#tellControls();
    this.#wants.wish();
  }

  /** Symbols that were not there before appear by themselves; where there are new ones more may be on their way. */
  async #lookForSymbols() {
    const before = this.watched.total;
    await this.watched.load().catch(() => undefined);
    if (this.#shown === null && document.body.dataset.tab !== PIPELINE) this.open({});
    this.#watchAgain();
    const soon = this.#shown === null || this.watched.total !== before;
    this.#again.in(soon ? AGAIN_MS : SYMBOLS_EVERY_MS, () => this.#lookForSymbols());
  }

  #tellControls() {
    this.watched.offer(this.#shown?.symbol ?? null);
    if (this.#shown === null) return;
    this.frames.show(this.#shown.timeFrame);
    this.dialog.show(this.#shown.indicators);
    this.search.show(this.#shown.symbol);
    this.watch.select(this.#shown.symbol);
  }

  remember() {
    remember(this.layout);
  }
}
