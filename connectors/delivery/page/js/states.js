/** Panels that say why there is nothing to see: loading, empty, an error, and what can be done. */

import { byId, make } from "./elements.js";

/** Show in `panel` a sentence, more on it, and perhaps a button `{label, act}`; `busy` turns a wheel. */
export function showState(panel, { title, text = "", busy = false, button = null }) {
  const parts = [];
  if (busy) parts.push(make("div", { class: "spinner", "aria-hidden": "true" }));
  parts.push(make("h2", {}, title));
  if (text) parts.push(make("p", {}, text));
  if (button) {
    const node = make("button", { type: "button" }, button.label);
    node.addEventListener("click", button.act);
    parts.push(node);
  }
  panel.classList.toggle("busy", busy);
  panel.replaceChildren(...parts);
  panel.dataset.stateMessage = title;
  panel.hidden = false;
}

/** There is something to see now. */
export function clearState(panel) {
  panel.hidden = true;
  panel.replaceChildren();
}

/** The state of one part of the page and its panel: `ready` without a panel, else `loading`, `empty` or `error` with words. */
export class StatePanel {
  state = "loading";
  #node;
  #onChange;
  #onRetry;

  /** Calls `onChange()` when the state is another one, `onRetry()` when somebody wants to try again after an error. */
  constructor(node, onChange, onRetry) {
    this.#node = node;
    this.#onChange = onChange;
    this.#onRetry = onRetry;
  }

  /** Something is on its way. */
  wait(title) {
    this.#show("loading", { title, busy: true });
  }

  /** There is nothing, and that is why. */
  sayNothing(title, text) {
    this.#show("empty", { title, text });
  }

  /** Something went wrong. */
  fail(title, text) {
    this.#show("error", { title, text, button: { label: "Try again", act: this.#onRetry } });
  }

  /** There is something to see. */
  ready() {
    this.state = "ready";
    clearState(this.#node);
  }

  #show(state, words) {
    this.state = state;
    showState(this.#node, words);
    this.#onChange();
  }
}

/** Say a short sentence to those who listen to the page. */
export function announce(sentence) {
  byId("announcer").textContent = sentence;
}
