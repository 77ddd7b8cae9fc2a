/** What the bar under the crosshair says, else the newest: prices, change, volume, and every indicator's value or why there is none. */

import { make, mark, say } from "../elements.js";
import { hasPrices } from "../model/bars.js";
import { explainNull, valueOf } from "../model/indicators.js";
import { changeOf, compact, fixed, percent, reading, signed } from "../model/numbers.js";

const TWO_COLOURS = "linear-gradient(90deg, var(--up) 50%, var(--down) 50%)";
const GAP = 4;
const PRICES = [
  ["open", "O"],
  ["high", "H"],
  ["low", "L"],
  ["close", "C"],
];

/** Writes into `#readout` and, for panes below the prices, into legends of their own. */
export class ReadOut {
  #box;
  #legends;
  #fields = new Map();
  #view = null;
  #decimals = 2;

  constructor(box, legends) {
    this.#box = box;
    this.#legends = legends;
  }

  /** Begin anew for these indicators. */
  build({ symbol, timeFrame, view, decimals }) {
    this.#view = view;
    this.#decimals = decimals;
    this.#fields.clear();
    const shown = view.indicatorLines;
    const title = make(
      "div",
      { class: "title" },
      `${symbol} `,
      make("span", { class: "frame" }, timeFrame),
      " ",
      this.#field("when", "when"),
    );
    const prices = make(
      "div",
      {},
      ...PRICES.map(([name, label]) => this.#pair(name, label)),
      this.#field("change", "value"),
      this.#pair("volume", "Vol"),
      this.#field("tags", "tags"),
    );
    const over = shown.filter(({ pane }) => pane === 0).map((each) => make("div", {}, ...this.#lines(each)));
    this.#box.replaceChildren(title, prices, ...over);
    this.#legends.replaceChildren(
      ...shown
        .filter(({ pane }) => pane > 0)
        .map((each) => make("div", { class: "pane-legend", "data-pane": each.pane }, ...this.#lines(each))),
    );
  }

  /** Show the bar at `index` of `series`. */
  show(series, index) {
    const bar = series.at(index);
    if (bar === undefined || this.#view === null) return;
    const { clock, daily } = this.#view.look;
    const set = (name, text, tone = null) => this.#set(name, text, tone);
    const change = changeOf(series.at(index - 1)?.close ?? bar.open, bar.close);
    const tone = change === null || change.direction === 0 ? null : change.direction > 0 ? "up" : "down";
    set("when", clock.moment(bar.start_ms, { time: !daily }));
    for (const [name] of PRICES)
      set(name, fixed(bar[name], this.#decimals), hasPrices(bar) ? (bar.close >= bar.open ? "up" : "down") : null);
    set("change", change === null ? "no prices" : `${signed(change.difference, this.#decimals)} (${percent(change)})`, tone);
    set("volume", compact(bar.volume));
    this.#tags(bar);
    for (const shown of this.#view.indicatorLines) this.#indicator(series, index, shown);
  }

  /** Put the legends where their panes are, and keep what is drawn clear of what is written over it. */
  place(stage) {
    if (this.#view === null) return;
    const top = stage.getBoundingClientRect().top;
    const free = new Map([[0, this.#box.offsetTop + this.#box.offsetHeight + GAP]]);
    for (const legend of this.#legends.children) {
      const pane = Number(legend.dataset.pane);
      const paneTop = this.#view.paneTop(pane);
      legend.hidden = paneTop === null;
      if (paneTop !== null) legend.style.top = `${Math.round(paneTop - top + GAP)}px`;
      free.set(pane, legend.offsetHeight + 2 * GAP);
    }
    this.#view.keepFree(free);
    stage.parentElement.style.setProperty("--scale-width", `${this.#view.scaleWidth}px`);
    stage.parentElement.style.setProperty("--own-panes", String(this.#view.paneCount - 1));
  }

  clear() {
    this.#view = null;
    this.#box.replaceChildren();
    this.#legends.replaceChildren();
  }

  /** Its values, or in the place of the first one why there are none. */
  #indicator(series, index, { indicator, pane, decimals, lines }) {
    const why = explainNull(indicator, series, index);
    lines.forEach((line, place) => {
      const value = valueOf(series.at(index), indicator.label, line.output);
      const text = pane === 0 ? fixed(value, decimals) : reading(value, decimals);
      this.#set(line.name, why ?? text, why === null ? null : "why");
      const pair = this.#fields.get(line.name).parentElement;
      pair.hidden = why !== null && place > 0;
      mark(pair, "class", why === null ? "pair" : "pair unready");
    });
  }

  #tags(bar) {
    const tags = [
      bar.status === "forming" ? "forming" : null,
      bar.revision > 0 ? "revised" : null,
      bar.complete ? null : "incomplete",
    ].filter(Boolean);
    const box = this.#fields.get("tags");
    if (box.dataset.tags === tags.join()) return;
    box.dataset.tags = tags.join();
    box.replaceChildren(...tags.flatMap((tag) => [make("span", { class: `tag ${tag}` }, tag), " "]));
  }

  #set(name, text, tone) {
    const node = this.#fields.get(name);
    say(node, text);
    mark(node, "class", tone === null ? "value" : `value ${tone}`);
  }

  #lines({ indicator, lines }) {
    return lines.map((line) => {
      const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.background = line.style === "histogram" ? TWO_COLOURS : line.colour;
      const label = make("span", { class: "label" }, nameOf(indicator, line));
      return make("span", { class: "pair" }, swatch, label, this.#field(line.name, "value"));
    });
  }

  #pair(name, label) {
    return make("span", { class: "pair" }, make("span", { class: "label" }, label), this.#field(name, "value"));
  }

  #field(name, kind) {
    const node = make("span", { class: kind, "data-value": name });
    this.#fields.set(name, node);
    return node;
  }
}

/**
 * `RSI`; of several outputs the first goes by the label as well, unless they are one word: `MACD`, `Bollinger
 * upper`, then `signal`, `middle`.
 */
function nameOf({ label }, { output, place }) {
  if (output === null || (place === 0 && output === label.toLowerCase())) return label;
  return place === 0 ? `${label} ${output}` : output.replaceAll("_", " ");
}
