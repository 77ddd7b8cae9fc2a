/** Single keys that work anywhere on the page but where somebody types; they can be switched off. */

import { byId } from "./elements.js";

/** Keep `actions` by key while `layout.shortcuts` is on; `onChange()` when it is switched. */
export function keepKeys(layout, actions, onChange) {
  const box = byId("shortcuts");
  box.checked = layout.shortcuts;
  box.addEventListener("change", () => {
    layout.shortcuts = box.checked;
    onChange();
  });
  document.addEventListener("keydown", (event) => {
    if (!layout.shortcuts || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isBusy(event.target)) return;
    const act = actions[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

function isBusy(target) {
  return target.closest("input, textarea, select, dialog") !== null || document.querySelector("dialog[open]") !== null;
}
