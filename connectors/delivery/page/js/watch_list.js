/** The watch-list: as many rows as are in sight, however many symbols there are. */

import { getJson } from "./api.js";
import { byId, CROSS, draw, make, mark, say, sign } from "./elements.js";
import { fixed, NONE, percent } from "./model/numbers.js";
import { rowsInSight, SPAN_MS, sparkline, WatchRow } from "./model/watch_rows.js";
import { clearState, showState } from "./states.js";

const ROW_HEIGHT = 48;
const AT_ONCE = 25;
const MOST_BARS = 300;
const SPARK = { width: 72, height: 28 };

/** Calls `onOpen(symbol)` and `onRemove(symbol)`. */
export class WatchList {
  #scroll = byId("watch-scroll");
  #grid = byId("watch-rows");
  #rows = new Map();
  #order = [];
  #nodes = new Map();
  #selected = null;
  #focused = null;
  #line = { frame: "15min", frameMs: 900_000 };
  #filling = false;
  /** Start of the newest stretch of a line; all of them end there. */
  #newestMs = 0;

  constructor(loop, { onOpen, onRemove }) {
    this.loop = loop;
    this.onOpen = onOpen;
    this.onRemove = onRemove;
    showState(byId("watch-state"), { title: "Waiting for the list of symbols" });
    this.#scroll.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#soon()).observe(this.#scroll);
    this.#grid.addEventListener("click", (event) => this.#click(event));
    this.#grid.addEventListener("keydown", (event) => this.#key(event));
    this.#grid.addEventListener("focusin", (event) => {
      this.#focused = event.target.closest("[data-symbol]")?.dataset.symbol ?? null;
    });
  }

  /** Which time frame the lines are made of. */
  setLine(frame, frameMs) {
    this.#line = { frame, frameMs };
  }

  /** Watch these symbols, in this order; `decimals` by symbol where they are known. */
  setSymbols(symbols, decimals = new Map()) {
    this.#order = symbols;
    const rows = symbols.map((symbol) => [
      symbol,
      this.#rows.get(symbol) ?? new WatchRow(symbol, decimals.get(symbol) ?? 0, this.#line.frameMs),
    ]);
    this.#rows = new Map(rows);
    say(byId("watch-count"), symbols.length ? fixed(symbols.length, 0) : "");
    const panel = byId("watch-state");
    if (symbols.length) clearState(panel);
    else
      showState(panel, { title: "Nothing is watched", text: "Symbols appear here as soon as they trade; one that is open can be added." });
    this.#soon();
  }

  /** Ask for the lines of all rows again: what moved past meanwhile is missing in them. */
  fillAnew() {
    for (const row of this.#rows.values()) row.asked = false;
    this.#soon();
  }

  has(symbol) {
    return this.#rows.has(symbol);
  }

  select(symbol) {
    this.#selected = symbol;
    this.#soon();
  }

  /** Take a record of a bar. */
  take(record) {
    if (!this.#rows.get(record.stock_id)?.take(record)) return;
    this.#newestMs = Math.max(this.#newestMs, record.start_ms - (record.start_ms % this.#line.frameMs));
    this.#soon();
  }

  #soon() {
    this.loop.soon("watch", () => this.#paint());
  }

  #paint() {
    const [first, end] = rowsInSight(this.#scroll.scrollTop, this.#scroll.clientHeight, ROW_HEIGHT, this.#order.length);
    const wanted = new Set(this.#order.slice(first, end));
    if (this.#focused !== null && this.#rows.has(this.#focused)) wanted.add(this.#focused);
    for (const [symbol, node] of this.#nodes) {
      if (wanted.has(symbol)) continue;
      node.row.remove();
      this.#nodes.delete(symbol);
    }
    this.#grid.style.height = `${this.#order.length * ROW_HEIGHT}px`;
    mark(this.#grid, "aria-rowcount", this.#order.length);
    const entry = this.#rows.has(this.#focused)
      ? this.#focused
      : this.#rows.has(this.#selected) && wanted.has(this.#selected)
        ? this.#selected
        : this.#order[first];
    for (const symbol of wanted) this.#paintRow(symbol, this.#order.indexOf(symbol), symbol === entry);
    this.#fill([...wanted].filter((symbol) => !this.#rows.get(symbol).asked));
  }

  #paintRow(symbol, place, isEntry) {
    const row = this.#rows.get(symbol);
    const node = this.#nodes.get(symbol) ?? this.#makeRow(symbol, place);
    node.row.style.top = `${place * ROW_HEIGHT}px`;
    mark(node.row, "aria-rowindex", place + 1);
    mark(node.row, "aria-selected", String(symbol === this.#selected));
    node.row.tabIndex = isEntry ? 0 : -1;
    say(node.price, fixed(row.price, row.decimals));
    const { change } = row;
    say(node.change, percent(change));
    mark(node.change, "class", `change ${change === null || change.direction === 0 ? "soft" : change.direction > 0 ? "up" : "down"}`);
    mark(node.line, "points", sparkline(row.points, this.#newestMs, SPAN_MS, SPARK.width, SPARK.height));
    const rise = change?.direction ?? 0;
    mark(node.spark, "class", `spark ${rise > 0 ? "rises" : rise < 0 ? "falls" : ""}`);
  }

  #makeRow(symbol, place) {
    const line = draw("polyline");
    const spark = draw(
      "svg",
      { class: "spark", viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      line,
    );
    const price = make("span", { class: "price", "data-value": "price" }, NONE);
    const change = make("span", { class: "change", "data-value": "change", title: "in the last 24 hours" }, NONE);
    const remove = make("button", { type: "button", class: "quiet remove", tabindex: "-1", "aria-label": `Remove ${symbol}` }, sign(CROSS));
    const cells = [
      make("span", { class: "symbol", role: "rowheader", title: symbol }, symbol),
      make("span", { class: "drawing", role: "gridcell" }, spark),
      make("span", { class: "figures", role: "gridcell" }, price, change),
      make("span", { class: "side", role: "gridcell" }, remove),
    ];
    const row = make("div", { class: "row", role: "row", "data-symbol": symbol, tabindex: "-1" }, ...cells);
    const later = [...this.#nodes.entries()].map(([other, node]) => [this.#order.indexOf(other), node.row]).filter(([at]) => at > place);
    const before = later.length ? later.reduce((one, other) => (one[0] < other[0] ? one : other))[1] : null;
    this.#grid.insertBefore(row, before);
    const node = { row, line, spark, price, change };
    this.#nodes.set(symbol, node);
    return node;
  }

  #click(event) {
    const symbol = event.target.closest("[data-symbol]")?.dataset.symbol;
    if (symbol === undefined) return;
    if (event.target.closest(".remove")) this.onRemove(symbol);
    else this.onOpen(symbol);
  }

  #key(event) {
    const symbol = event.target.closest("[data-symbol]")?.dataset.symbol;
    const place = this.#order.indexOf(symbol);
    const page = Math.max(1, Math.floor(this.#scroll.clientHeight / ROW_HEIGHT) - 1);
    const to = {
      ArrowDown: place + 1,
      ArrowUp: place - 1,
      PageDown: place + page,
      PageUp: place - page,
      Home: 0,
      End: this.#order.length - 1,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.#focus(Math.min(this.#order.length - 1, Math.max(0, to)));
    } else if (event.key === "Enter" && !event.target.closest(".remove")) {
      this.onOpen(symbol);
    } else if (event.key === "Delete") {
      this.onRemove(symbol);
      this.#focus(Math.min(place, this.#order.length - 1));
    }
  }

  #focus(place) {
    const symbol = this.#order[place];
    if (symbol === undefined) return;
    const top = place * ROW_HEIGHT;
    if (top < this.#scroll.scrollTop) this.#scroll.scrollTop = top;
    else if (top + ROW_HEIGHT > this.#scroll.scrollTop + this.#scroll.clientHeight)
      this.#scroll.scrollTop = top + ROW_HEIGHT - this.#scroll.clientHeight;
    this.#focused = symbol;
    this.#paint();
    this.#nodes.get(symbol)?.row.focus({ preventScroll: true });
  }

  /** Ask for the lines of rows that have come into sight, a few at a time. */
  async #fill(symbols) {
    if (this.#filling || symbols.length === 0) return;
    this.#filling = true;
    const some = symbols.slice(0, AT_ONCE);
    some.forEach((symbol) => (this.#rows.get(symbol).asked = true));
    try {
      const { frame, frameMs } = this.#line;
      const limit = Math.max(2, Math.min(MOST_BARS, Math.ceil(SPAN_MS / frameMs)));
      const { bars } = await getJson("v1/bars", {
        symbols: some.join(","),
        time_frame: frame,
        limit,
        indicators: "",
        include_forming: true,
      });
      for (const symbol of some) this.#rows.get(symbol)?.fill(bars[symbol] ?? []);
      this.#askAgain(
        some.filter((symbol) => !bars[symbol]?.length),
        30_000,
      );
    } catch {
      this.#askAgain(some, 5_000);
    }
    this.#filling = false;
    this.#soon();
  }

  /** A service that is still catching up has nothing of a symbol yet. */
  #askAgain(symbols, inMs) {
    if (symbols.length === 0) return;
    setTimeout(() => {
      for (const symbol of symbols) if (this.#rows.has(symbol)) this.#rows.get(symbol).asked = false;
      this.#soon();
    }, inMs);
  }
}
