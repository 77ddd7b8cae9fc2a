/** Painting at most once a frame, however many changes come in. */

export class FrameLoop {
  #due = new Map();
  #asked = 0;
  /** Frames painted so far. */
  frames = 0;

  /** Call `paint` before the next frame, once for each `name`; the latest one counts. */
  soon(name, paint) {
    this.#due.set(name, paint);
    if (this.#asked === 0) this.#asked = requestAnimationFrame(() => this.#run());
  }

  #run() {
    this.#asked = 0;
    this.frames += 1;
    const due = [...this.#due.values()];
    this.#due.clear();
    for (const paint of due) paint();
  }
}
