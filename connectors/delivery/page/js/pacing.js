/** Calls that wait: for a while, or until nobody wishes them any more. */

/** A call later on, one at most: the next one takes its place. */
export class Later {
  #timer = 0;

  /** Call `act` in so many ms instead of what was waiting. */
  in(ms, act) {
    this.forget();
    this.#timer = setTimeout(act, ms);
  }

  /** Nothing waits any more. */
  forget() {
    clearTimeout(this.#timer);
  }
}

/** Grants the first of wishes in quick succession at once and the last when it has been quiet for `quietMs`, by calling `act()`. */
export class Settled {
  #end = new Later();
  #isQuiet = true;
  #isOwed = false;

  constructor(act, quietMs) {
    this.act = act;
    this.quietMs = quietMs;
  }

  wish() {
    if (this.#isQuiet) this.act();
    else this.#isOwed = true;
    this.#wait();
  }

  #wait() {
    this.#isQuiet = false;
    this.#end.in(this.quietMs, () => this.#settle());
  }

  #settle() {
    this.#isQuiet = true;
    if (!this.#isOwed) return;
    this.#isOwed = false;
    this.act();
    this.#wait();
  }
}
