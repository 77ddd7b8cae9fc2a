/** Whether what comes is of now: bars of a history that is still computed come faster than time goes by. */

const SEEN_MS = 15_000;
/** A live market's newest bar ends a minute later each minute, in one step; two steps within the time seen are no market's. */
const FAR_MS = 120_000;

/** Follows heartbeats `{nowMs, newestEndMs}`, both of the server's clock. */
export class Progress {
  #beats = [];

  /** Take a heartbeat: how far the newest closed bar is behind while it catches up, null when it does not. */
  take({ nowMs, newestEndMs }) {
    if (newestEndMs === null) return null;
    this.#beats.push({ nowMs, newestEndMs });
    while (this.#beats[0].nowMs < nowMs - SEEN_MS) this.#beats.shift();
    const behindMs = nowMs - newestEndMs;
    const movedMs = newestEndMs - this.#beats[0].newestEndMs;
    return movedMs > FAR_MS && behindMs > FAR_MS ? behindMs : null;
  }
}
