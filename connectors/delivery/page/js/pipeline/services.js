/** The services that wrote themselves into the registry. */

import { make, mark, say } from "../elements.js";
import { coarse, compact } from "../model/numbers.js";

const COLUMNS = ["Service", "Instance", "Address", "Version", "Up for", "Last heard", "Load"];

/** A table of services, written in place: what did not change is not touched. */
export class Services {
  node = make("div", { class: "panel" });
  #cells = [];
  #who = null;

  /** `services` as `/v1/services` gives them; `nowMs` by the server's clock. */
  show(services, nowMs) {
    const who = JSON.stringify(services.map(({ service, instance }) => [service, instance]));
    if (who !== this.#who) this.#build(services);
    this.#who = who;
    services.forEach((service, row) => this.#write(this.#cells[row], service, nowMs));
  }

  #build(services) {
    if (services.length === 0) {
      const text = "Gateways and deliveries appear here a moment after their start.";
      this.node.replaceChildren(
        make(
          "div",
          { class: "message", "data-state-message": "No service" },
          make("h3", {}, "No service has registered itself"),
          make("p", {}, text),
        ),
      );
      return;
    }
    this.#cells = services.map(() =>
      COLUMNS.map((_, place) =>
        make(place === 0 ? "th" : "td", { scope: place === 0 ? "row" : null, class: place < 6 ? "nowrap" : "soft" }),
      ),
    );
    const head = make("tr", {}, ...COLUMNS.map((title) => make("th", { scope: "col" }, title)));
    const rows = this.#cells.map((cells) => make("tr", {}, ...cells));
    this.node.replaceChildren(make("table", { "aria-label": "Services" }, make("thead", {}, head), make("tbody", {}, ...rows)));
  }

  #write(cells, service, nowMs) {
    const heard = `${coarse(Math.max(1000, nowMs - service.seen_ms))} ago`;
    const load = Object.entries(service.load ?? {})
      .map(([name, value]) => `${name.replaceAll("_", " ")} ${compact(value)}`)
      .join(" · ");
    const up = coarse(Math.max(1000, nowMs - service.started_ms));
    const texts = [
      service.service,
      service.instance,
      service.address,
      service.version,
      up,
      service.silent ? `silent, ${heard}` : heard,
      load,
    ];
    texts.forEach((text, place) => say(cells[place], text));
    mark(cells[5], "class", service.silent ? "nowrap down" : "nowrap");
  }
}
