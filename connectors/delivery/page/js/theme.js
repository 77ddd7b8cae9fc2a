/** Dark, light, or as the system has it; and the tokens' colours as a canvas wants them. */

import { byId, say } from "./elements.js";
import { THEMES } from "./model/layout.js";

const WORDS = { system: "Colours: as the system", light: "Colours: light", dark: "Colours: dark" };

/** Put the theme on the page and keep its button; `onChange(theme)` when colours change, by the button or by the system. */
export function keepTheme(layout, onChange) {
  const button = byId("theme");
  const show = () => {
    if (layout.theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = layout.theme;
    say(byId("theme-text"), WORDS[layout.theme]);
    button.title = WORDS[layout.theme];
  };
  show();
  button.addEventListener("click", () => {
    layout.theme = THEMES[(THEMES.indexOf(layout.theme) + 1) % THEMES.length];
    show();
    onChange();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => layout.theme === "system" && onChange());
}

const TOKENS = [
  "surface",
  "text",
  "text-soft",
  "grid",
  "line",
  "line-strong",
  "accent",
  "up",
  "down",
  "up-soft",
  "down-soft",
  "up-volume",
  "down-volume",
  "revised",
  "incomplete",
  "glow",
  "series-1",
  "series-2",
  "series-3",
  "series-4",
  "series-5",
  "series-6",
  "series-7",
  "series-8",
];

/** The tokens' colours now, by name, written as `rgb(...)`. */
export function colours() {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const found = TOKENS.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(found);
}
