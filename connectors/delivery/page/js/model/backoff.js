/** How long to wait before the next attempt to connect. */

const FIRST_MS = 400;
const LONGEST_MS = 15_000;

/**
 * The wait before attempt number `attempt` (0, 1, ...): doubled each time up to 15 s, somewhere between half of it and all of it
 * (`random` in [0, 1)), so that many pages do not come back in one moment; never less than the server asked for.
 */
export function waitMs(attempt, random, askedMs = 0) {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.max(askedMs, Math.round(ceiling * (0.5 + random / 2)));
}
