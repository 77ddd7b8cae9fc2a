/** Which symbols are watched: a list of one's own, or every symbol there is. */

import { getJson } from "./api.js";
import { byId } from "./elements.js";

const MOST = 1_000;

/** Keeps `layout.watch`; null there means every symbol. */
export class WatchChoice {
  #layout;
  #all = [];
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
    const { symbols } = await getJson("v1/symbols", { limit: MOST });
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
  }
}
