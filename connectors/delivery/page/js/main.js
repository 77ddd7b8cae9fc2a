/** The beginning: the chart library, then the page. */

import { byId } from "./elements.js";
import { Page } from "./page.js";
import { showState } from "./states.js";

const LIBRARY = "../../assets/lightweight-charts.standalone.production.mjs";

try {
  await new Page(await import(LIBRARY)).start();
} catch (error) {
  const missing = error instanceof TypeError && /import|module|fetch/i.test(error.message);
  const title = missing ? "The chart library is missing" : "The page could not be started";
  const text = missing ? "Run tickloom setup where the delivery service runs, and restart it." : String(error);
  showState(byId("chart-state"), { title, text, button: { label: "Try again", act: () => location.reload() } });
  byId("chart").dataset.state = "error";
}
