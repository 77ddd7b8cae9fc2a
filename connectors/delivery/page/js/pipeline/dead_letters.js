/** Dead letters by reason, the newest of them, and a look at their bytes: always as text, whatever is in them. */

import { make } from "../elements.js";
import { bytes, compact } from "../model/numbers.js";
import { ZoneClock } from "../model/times.js";

const UTC = new ZoneClock("UTC");
const COLUMNS = ["Received (UTC)", "Reason", "Detail", "Stage", "From", ""];

/** Keeps which reason is chosen and whose bytes are open. Calls `onChoose()` when another reason is wanted. */
export class DeadLetters {
  node = make("div");
  reason = null;
  #open = new Set();
  /** What is shown: the same is not drawn anew, so nothing that is selected is lost. */
  #shown = null;

  constructor(onChoose) {
    this.onChoose = onChoose;
  }

  show(answer) {
    const text = JSON.stringify([this.reason, answer]);
    if (text === this.#shown) return;
    this.#shown = text;
    const { total, by_reason: byReason, dead_letters: letters } = answer;
    const parts = [this.#reasons(total, byReason)];
    const panel = make("div", { class: "panel" });
    if (letters.length) panel.append(this.#table(letters));
    else
      panel.append(
        message(
          "No dead letters",
          this.reason ? `None of the newest has the reason ${this.reason}.` : "Every line that came in counted, or was known already.",
        ),
      );
    parts.push(panel);
    this.#replace(parts);
  }

  /** Say why there is nothing to see. */
  explain(title, text) {
    if (this.#shown === title) return;
    this.#shown = title;
    this.#replace([make("div", { class: "panel" }, message(title, text))]);
  }

  /** New parts, with the focus where it was. */
  #replace(parts) {
    const focused = this.node.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const scrolled = [...this.node.querySelectorAll(".original")].map((node) => node.scrollTop);
    this.node.replaceChildren(...parts.filter(Boolean));
    if (focused) this.node.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    this.node.querySelectorAll(".original").forEach((node, place) => (node.scrollTop = scrolled[place] ?? 0));
  }

  #reasons(total, byReason) {
    const reasons = Object.entries(byReason).sort((one, other) => other[1] - one[1]);
    if (reasons.length === 0) return null;
    const all = this.#choice(null, "all", total);
    return make(
      "div",
      { class: "reasons", role: "group", "aria-label": "Reasons" },
      all,
      ...reasons.map(([reason, count]) => this.#choice(reason, reason, count)),
    );
  }

  #choice(reason, text, count) {
    const button = make(
      "button",
      { type: "button", "data-key": `reason ${text}`, "aria-pressed": String(reason === this.reason) },
      text,
      " ",
      make("span", { class: "count" }, compact(count)),
    );
    button.addEventListener("click", () => {
      this.reason = reason;
      this.onChoose();
    });
    return button;
  }

  #table(letters) {
    const head = make(
      "tr",
      {},
      ...COLUMNS.map((title) => make("th", { scope: "col" }, title || make("span", { class: "hidden" }, "Original"))),
    );
    return make(
      "table",
      { "aria-label": "Dead letters" },
      make("thead", {}, head),
      make("tbody", {}, ...letters.flatMap((letter) => this.#lines(letter))),
    );
  }

  #lines(letter) {
    const open = this.#open.has(letter.id);
    const button = make(
      "button",
      { type: "button", "data-key": letter.id, "aria-expanded": String(open) },
      open ? "Hide bytes" : "Show bytes",
    );
    const from = [letter.origin, letter.replayed ? "sent again" : null].filter(Boolean).join(" · ");
    const line = make(
      "tr",
      {},
      make("td", { class: "nowrap" }, `${UTC.date(letter.received_ms)} ${UTC.time(letter.received_ms, true)}`),
      make("td", { class: "nowrap" }, letter.reason),
      make("td", { class: "detail" }, letter.detail),
      make("td", {}, letter.stage),
      make("td", { class: "soft" }, from),
      make("td", { class: "act" }, button),
    );
    const original = this.#original(letter, open);
    button.addEventListener("click", () => this.#toggle(letter.id, button, original));
    return [line, original];
  }

  #original(letter, open) {
    const shown = new TextEncoder().encode(letter.original_text).length;
    const size = shown < letter.original_size ? `${bytes(letter.original_size)}, of which the beginning` : bytes(letter.original_size);
    const text = make(
      "pre",
      { class: "original", tabindex: "0", "aria-label": `Original of dead letter ${letter.id}` },
      letter.original_text,
    );
    const row = make("tr", {}, make("td", { colspan: COLUMNS.length }, make("p", { class: "soft" }, `Original line, ${size}:`), text));
    row.hidden = !open;
    return row;
  }

  #toggle(id, button, original) {
    const open = !this.#open.has(id);
    if (open) this.#open.add(id);
    else this.#open.delete(id);
    original.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "Hide bytes" : "Show bytes";
  }
}

function message(title, text) {
  return make("div", { class: "message", "data-state-message": title }, make("h3", {}, title), make("p", {}, text));
}
