/** The search for a symbol: a field with a list of what fits, by mouse or keyboard. */

import { getJson } from "./api.js";
import { byId, make } from "./elements.js";
import { decimalsOf, fixed } from "./model/numbers.js";

const WAIT_MS = 120;
const SHOWN = 30;
const SYMBOL = /^[A-Za-z0-9._:/=^+-]{1,64}$/;

/** Calls `onChoose(symbol)`. */
export class SearchBox {
  #field = byId("symbol");
  #list = byId("symbols");
  #symbols = [];
  #active = -1;
  #timer = 0;
  #asked = null;
  /** What `#symbols` is the answer to. */
  #answered = null;

  constructor(onChoose) {
    this.onChoose = onChoose;
    this.#field.addEventListener("input", () => this.#askSoon());
    this.#field.addEventListener("focus", () => this.#field.select());
    this.#field.addEventListener("click", () => this.#askSoon());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("blur", () => this.#close());
    this.#list.addEventListener("mousedown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => {
      const option = event.target.closest("[data-symbol]");
      if (option) this.#choose(option.dataset.symbol);
    });
  }

  focus() {
    this.#field.focus();
  }

  /** What is open now stands in the field until somebody types. */
  show(symbol) {
    if (document.activeElement !== this.#field) this.#field.value = symbol;
  }

  #askSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), WAIT_MS);
  }

  async #ask() {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    this.#asked = new AbortController();
    const query = this.#field.value.trim();
    try {
      const answer = await getJson("v1/symbols", { query, limit: SHOWN }, this.#asked);
      this.#answered = query;
      this.#open(answer.symbols, answer.total);
    } catch (error) {
      if (error.name !== "AbortError") this.#tell("The list of symbols cannot be read now.");
    }
  }

  #open(symbols, total) {
    if (document.activeElement !== this.#field) return;
    this.#symbols = symbols;
    this.#active = symbols.length ? 0 : -1;
    if (symbols.length === 0) this.#tell(`No symbol fits “${this.#field.value.trim()}”.`);
    else {
      this.#list.replaceChildren(...symbols.map(option));
      if (total > symbols.length)
        this.#list.append(make("div", { class: "empty", role: "presentation" }, `${total - symbols.length} more: type on`));
    }
    this.#expand(true);
    this.#point();
  }

  #tell(sentence) {
    this.#symbols = [];
    this.#active = -1;
    this.#list.replaceChildren(
      make("div", { class: "empty", role: "option", "aria-disabled": "true", "aria-selected": "false" }, sentence),
    );
    this.#expand(true);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    this.#expand(false);
  }

  #expand(open) {
    this.#list.hidden = !open;
    this.#field.setAttribute("aria-expanded", String(open));
    if (!open) this.#field.removeAttribute("aria-activedescendant");
  }

  #point() {
    this.#list.querySelectorAll("[data-symbol]").forEach((node, place) => {
      node.setAttribute("aria-selected", String(place === this.#active));
      if (place === this.#active) {
        this.#field.setAttribute("aria-activedescendant", node.id);
        node.scrollIntoView({ block: "nearest" });
      }
    });
  }

  #key(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.#list.hidden) this.#ask();
      else if (this.#symbols.length) {
        this.#active = (this.#active + (event.key === "ArrowDown" ? 1 : -1) + this.#symbols.length) % this.#symbols.length;
        this.#point();
      }
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.#enter();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (this.#list.hidden) this.#field.blur();
      this.#close();
    }
  }

  /** The symbol typed in full, if it is among those found; else the one pointed at; else what was typed, as it is. */
  async #enter() {
    const typed = this.#field.value.trim();
    if (this.#answered !== typed) await this.#ask();
    const exact = this.#symbols.find(({ stock_id }) => stock_id === typed);
    const symbol = exact?.stock_id ?? this.#symbols[this.#active]?.stock_id ?? typed;
    if (SYMBOL.test(symbol)) this.#choose(symbol);
  }

  #choose(symbol) {
    this.#field.value = symbol;
    this.#close();
    this.#field.blur();
    this.onChoose(symbol);
  }
}

function option(symbol, place) {
  const { stock_id: name, last, price_decimals: decimals } = symbol;
  const price = last?.close ?? null;
  return make(
    "div",
    { class: "option", role: "option", id: `symbol-${place}`, "data-symbol": name, "aria-selected": "false" },
    make("span", { class: "name" }, name),
    make("span", { class: "soft" }, price === null ? "" : fixed(price, Math.max(decimals ?? 0, decimalsOf([price])))),
  );
}
