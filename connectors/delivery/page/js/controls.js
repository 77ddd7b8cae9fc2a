/** The controls around the chart, wired to what they do to a Page. */

import { byId } from "./elements.js";
import { keepKeys } from "./keys.js";
import { keepTabs } from "./tabs.js";
import { keepTheme } from "./theme.js";
import { closeByBackdrop, keepSwitch, offerZones } from "./tools.js";

/** Whether the watch-list lies over the chart, as on a phone. */
export const isNarrow = () => matchMedia("(max-width: 45rem)").matches;

/** Let every button, switch and key act on `page`. */
export function keepControls(page) {
  const { layout, chart } = page;
  const change = (key, then) => (value) => {
    layout[key] = value;
    then();
    page.remember();
  };
  const help = () => byId("help-dialog").showModal();
  const toggleWatch = () => page.openWatch(document.body.dataset.watch === "closed");

  keepTheme(layout, () => {
    page.remember();
    chart.rebuild();
  });
  keepSwitch(
    byId("log-scale"),
    layout.log,
    change("log", () => chart.setLog(layout.log)),
  );
  offerZones(
    layout.zone,
    Date.now(),
    change("zone", () => chart.rebuild()),
  );
  keepTabs((tab) => page.show(tab));
  closeByBackdrop(byId("help-dialog"));
  onClick({
    "watch-toggle": toggleWatch,
    "watch-close": () => page.openWatch(false),
    "watch-add": () => page.watchShown(),
    "watch-all": () => page.watchAll(),
    help,
  });
  addEventListener("hashchange", () => page.follow(location.hash));
  const keys = {
    "/": () => page.search.focus(),
    i: () => page.dialog.open(),
    l: () => byId("log-scale").click(),
    g: () => chart.goLive(),
    w: toggleWatch,
    "?": help,
  };
  keepKeys(layout, keys, () => page.remember());
}

function onClick(actions) {
  for (const [id, act] of Object.entries(actions)) byId(id).addEventListener("click", act);
}
