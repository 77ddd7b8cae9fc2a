/** Which symbols are watched: a list of one's own, or every symbol there is. */

import { getJson } from "./api.js";
import { byId, say } from "./elements.js";
import { restText } from "./model/watch_rows.js";

const MOST = 1_000;

/** Keeps `layout.watch`; null there means every symbol, up to as many as one subscription should name. */
export class WatchChoice {
  #layout;
  #all = [];
  /** How many symbols there are. */
  total = 0;
  /** Decimals by symbol, as the service knows them. */
  decimals = new Map();

  constructor(layout) {
    this.#layout = layout;
  }

  get symbols() {
    return (this.#layout.watch ?? this.#all).slice(0, MOST);
  }

  /** Ask which symbols there are. */
  async load() {
    const { symbols, total } = await getJson("v1/symbols", { limit: MOST });
    this.total = total;
    this.#all = symbols.map(({ stock_id: name }) => name);
    this.decimals = new Map(symbols.map(({ stock_id: name, price_decimals: decimals }) => [name, decimals ?? 0]));
  }

  add(symbol) {
    if (!this.symbols.includes(symbol)) this.#layout.watch = [...this.symbols, symbol];
  }

  remove(symbol) {
    this.#layout.watch = this.symbols.filter((name) => name !== symbol);
  }

  all() {
    this.#layout.watch = null;
  }

  /** Offer what can be done while `symbol` is open. */
  offer(symbol) {
    byId("watch-all").hidden = this.#layout.watch === null;
    byId("watch-add").hidden = symbol === null || this.symbols.includes(symbol);
    byId("watch-add-symbol").textContent = symbol ?? "";
    const rest = this.#layout.watch === null ? restText(this.symbols.length, this.total) : "";
    byId("watch-rest").hidden = rest === "";
    say(byId("watch-rest"), rest);
  }
}
