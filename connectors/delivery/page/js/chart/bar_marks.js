/** Marks below bars: a diamond under a revised one, a ring under an incomplete one; and a light behind one just repainted. */

import { hasPrices } from "../model/bars.js";

const GLOW_MS = 1_200;
const BELOW = 9;
const HALO = 7;

/** A series primitive of lightweight-charts. It reads bars where they are; `refresh()` draws anew. */
export class BarMarks {
  #attached = null;
  #bars = null;
  #glowing = new Map();
  #views;

  constructor(colours) {
    this.colours = colours;
    const marks = { draw: (target) => this.#draw(target, (context, bar, x) => this.#mark(context, bar, x)) };
    const glow = {
      draw: (target) => this.#glowing.size && this.#draw(target, (context, bar, x, spacing) => this.#light(context, bar, x, spacing)),
    };
    this.#views = [
      { zOrder: () => "bottom", renderer: () => glow },
      { zOrder: () => "top", renderer: () => marks },
    ];
  }

  attached(attached) {
    this.#attached = attached;
  }

  detached() {
    this.#attached = null;
  }

  paneViews() {
    return this.#views;
  }

  /** Draw the marks of these bars from now on. */
  of(barSeries) {
    this.#bars = barSeries;
    this.#glowing.clear();
  }

  /** Light up the bar that starts at `startMs` for a moment. */
  light(startMs) {
    this.#glowing.set(startMs, (this.#glowing.get(startMs) ?? 0) + 1);
    setTimeout(() => {
      const left = (this.#glowing.get(startMs) ?? 1) - 1;
      if (left > 0) this.#glowing.set(startMs, left);
      else this.#glowing.delete(startMs);
      this.#attached?.requestUpdate();
    }, GLOW_MS);
    this.#attached?.requestUpdate();
  }

  #draw(target, paint) {
    if (this.#attached === null || this.#bars === null) return;
    const scale = this.#attached.chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (range === null) return;
    const spacing = scale.options().barSpacing;
    target.useMediaCoordinateSpace(({ context }) => {
      const last = Math.min(this.#bars.length - 1, Math.ceil(range.to));
      for (let index = Math.max(0, Math.floor(range.from)); index <= last; index += 1) {
        const x = scale.logicalToCoordinate(index);
        if (x !== null) paint(context, this.#bars.at(index), x, spacing);
      }
    });
  }

  #mark(context, bar, x) {
    const revised = bar.revision > 0;
    if ((!revised && bar.complete) || !hasPrices(bar)) return;
    let y = this.#attached.series.priceToCoordinate(bar.low);
    if (y === null) return;
    y += BELOW;
    if (revised) {
      diamond(context, x, y, this.colours.revised);
      y += BELOW;
    }
    if (!bar.complete) ring(context, x, y, this.colours.incomplete);
  }

  #light(context, bar, x, spacing) {
    if (!this.#glowing.has(bar.start_ms) || !hasPrices(bar)) return;
    const { series } = this.#attached;
    const [top, bottom] = [series.priceToCoordinate(bar.high), series.priceToCoordinate(bar.low)];
    if (top === null || bottom === null) return;
    const width = Math.max(spacing, 6) + 2;
    context.fillStyle = this.colours.glow;
    context.beginPath();
    context.roundRect(x - width / 2, top - HALO, width, bottom - top + 2 * HALO, 3);
    context.fill();
  }
}

function diamond(context, x, y, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x, y - 3.5);
  context.lineTo(x + 3.5, y);
  context.lineTo(x, y + 3.5);
  context.lineTo(x - 3.5, y);
  context.closePath();
  context.fill();
}

function ring(context, x, y, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(x, y, 3, 0, 2 * Math.PI);
  context.stroke();
}
