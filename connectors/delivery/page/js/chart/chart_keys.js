/** The keys of the chart while it has the focus. */

const FAR = 10;

/** Keys act on `chart`: `step(by)`, `leave()`, `zoom(factor)`, `goToOldest()`, `goLive()`. */
export function keepChartKeys(container, chart) {
  container.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = event.shiftKey ? FAR : 1;
    const act = {
      ArrowLeft: () => chart.step(-step),
      ArrowRight: () => chart.step(step),
      Escape: () => chart.leave(),
      Home: () => chart.goToOldest(),
      End: () => chart.goLive(),
      "+": () => chart.zoom(0.8),
      "=": () => chart.zoom(0.8),
      "-": () => chart.zoom(1.25),
    }[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}
