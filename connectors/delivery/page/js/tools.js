/** The row of tools over the chart: time frames, indicators, log scale, time zone. */

import { byId, make, mark } from "./elements.js";
import { linesOf } from "./model/indicators.js";
import { ZoneClock, ZONES } from "./model/times.js";

/** A group of radio buttons, one a time frame: arrows move and choose. Calls `onChoose(timeFrame)`. */
export class TimeFrameButtons {
  #group = byId("time-frames");

  constructor(onChoose) {
    this.onChoose = onChoose;
    this.#group.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) onChoose(button.value);
    });
    this.#group.addEventListener("keydown", (event) => this.#key(event));
  }

  offer(timeFrames) {
    this.#group.replaceChildren(
      ...timeFrames.map((name) =>
        make("button", { type: "button", role: "radio", value: name, "aria-checked": "false", tabindex: "-1" }, name),
      ),
    );
  }

  show(timeFrame) {
    for (const button of this.#group.children) {
      mark(button, "aria-checked", String(button.value === timeFrame));
      button.tabIndex = button.value === timeFrame ? 0 : -1;
    }
  }

  #key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const buttons = [...this.#group.children];
    const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
    next.focus();
    this.onChoose(next.value);
  }
}

/** The dialog with a box for each indicator of the catalogue. Calls `onChoose(labels)` at each change. */
export class IndicatorDialog {
  #dialog = byId("indicator-dialog");
  #list = byId("indicator-list");

  constructor(onChoose) {
    byId("indicators-button").addEventListener("click", () => this.open());
    this.#list.addEventListener("change", () => {
      onChoose([...this.#list.querySelectorAll("input:checked")].map(({ value }) => value));
    });
    closeByBackdrop(this.#dialog);
  }

  open() {
    this.#dialog.showModal();
    this.#list.querySelector("input")?.focus();
  }

  offer(catalogue) {
    const over = catalogue.filter(({ pane }) => pane === "price");
    const below = catalogue.filter(({ pane }) => pane !== "price");
    this.#list.replaceChildren(...group("Over the prices", over), ...group("In a pane below", below));
  }

  show(labels) {
    for (const box of this.#list.querySelectorAll("input")) box.checked = labels.includes(box.value);
    const button = byId("indicators-button");
    button.textContent = labels.length ? `Indicators (${labels.length})` : "Indicators";
    button.setAttribute("aria-label", "Indicators");
  }
}

function group(title, indicators) {
  return indicators.length ? [make("h3", {}, title), ...indicators.map(box)] : [];
}

function box(indicator) {
  const outputs = linesOf(indicator)
    .map(({ output }) => output)
    .filter((output) => output !== null);
  return make(
    "label",
    {},
    make("input", { type: "checkbox", value: indicator.label }),
    make("span", {}, indicator.label),
    make("span", { class: "spec" }, outputs.length ? `${indicator.spec}: ${outputs.join(", ")}` : indicator.spec),
  );
}

/** A click beside a dialog closes it. */
export function closeByBackdrop(dialog) {
  dialog.addEventListener("mousedown", (event) => event.target === dialog && dialog.close());
}

/** The choice of a time zone. Calls `onChoose(zone)`. */
export function offerZones(chosen, nowMs, onChoose) {
  const select = byId("zone");
  const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = ZONES.includes(chosen) || chosen === "UTC" || chosen === "local" ? ZONES : [...ZONES, chosen];
  const options = zones.map((zone) =>
    make("option", { value: zone }, `${zone.split("/").at(-1).replaceAll("_", " ")} (${new ZoneClock(zone).offsetName(nowMs)})`),
  );
  select.replaceChildren(make("option", { value: "UTC" }, "UTC"), make("option", { value: "local" }, `Local (${local})`), ...options);
  select.value = chosen;
  select.addEventListener("change", () => onChoose(select.value));
}

/** A button that is pressed or not. Calls `onChange(pressed)`. */
export function keepSwitch(button, pressed, onChange) {
  const show = (now) => button.setAttribute("aria-pressed", String(now));
  show(pressed);
  button.addEventListener("click", () => {
    const now = button.getAttribute("aria-pressed") !== "true";
    show(now);
    onChange(now);
  });
}
