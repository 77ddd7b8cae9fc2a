/** Tiles: one figure each, with a note and, for some, the line of the last minutes. */

import { draw, make, mark, say } from "../elements.js";
import { Trend } from "../model/figures.js";
import { polyline } from "../model/watch_rows.js";

const LINE = { width: 160, height: 28 };

/** Keeps the tiles of one list, made once and written anew at each `show`. */
export class Tiles {
  node = make("dl", { class: "tiles" });
  #tiles = new Map();

  show(tiles) {
    const keys = tiles.map(({ key }) => key).join();
    if (this.node.dataset.keys !== keys) {
      this.node.dataset.keys = keys;
      this.node.replaceChildren(...tiles.map((tile) => this.#make(tile)));
    }
    for (const tile of tiles) this.#write(tile);
  }

  #make({ key, label, word, trend }) {
    const value = make("dd", { class: word ? "value word" : "value", "data-value": key });
    const note = make("dd", { class: "note" });
    const line = trend === undefined ? null : draw("polyline");
    const drawing =
      line &&
      make(
        "dd",
        { "aria-hidden": "true" },
        draw("svg", { class: "trend", viewBox: `0 0 ${LINE.width} ${LINE.height}`, preserveAspectRatio: "none" }, line),
      );
    const node = make("div", { class: "tile" }, make("dt", {}, label), value, note, ...(drawing ? [drawing] : []));
    this.#tiles.set(key, { node, value, note, line, trend: this.#tiles.get(key)?.trend ?? new Trend() });
    return node;
  }

  #write({ key, value, note = "", tone = null, trend }) {
    const tile = this.#tiles.get(key);
    say(tile.value, value);
    say(tile.note, note);
    mark(tile.node, "class", tone ? `tile ${tone}` : "tile");
    if (tile.line === null) return;
    tile.trend.take(trend);
    mark(tile.line, "points", tile.trend.values.length > 1 ? polyline(tile.trend.values, LINE.width, LINE.height, 2) : "");
  }
}
