/** The tabs Chart and Pipeline. */

import { byId, mark } from "./elements.js";

const PANELS = { chart: "chart-panel", pipeline: "pipeline" };

/** Calls `onChoose(tab)` by mouse or arrow. */
export function keepTabs(onChoose) {
  const names = Object.keys(PANELS);
  for (const name of names) {
    const tab = byId(`tab-${name}`);
    tab.addEventListener("click", () => onChoose(name));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
      event.preventDefault();
      const other = names.find((each) => each !== name);
      byId(`tab-${other}`).focus();
      onChoose(other);
    });
  }
}

/** Show one tab's panel and hide the other's. */
export function showTab(tab) {
  document.body.dataset.tab = tab;
  for (const [name, panel] of Object.entries(PANELS)) {
    byId(panel).hidden = name !== tab;
    mark(byId(`tab-${name}`), "aria-selected", String(name === tab));
    byId(`tab-${name}`).tabIndex = name === tab ? 0 : -1;
  }
}
