/** In which state the page's connection is, and the words for it. */

import { coarse, duration } from "./numbers.js";

export const State = Object.freeze({
  CONNECTING: "connecting",
  LIVE: "live",
  RECONNECTING: "reconnecting",
  DEGRADED: "degraded",
  OFFLINE: "offline",
});
const WORDS = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  degraded: "Degraded",
  offline: "Offline",
};
const REASONS = {
  kafka_unreachable: "Kafka does not answer; what is shown is the newest there was",
  topic_missing: "a topic of results is missing",
  catching_up: "it is still reading results; bars appear as it goes on",
};

/** From here on what comes is not live any more. */
const LATE_MS = 5_000;

/** Whether records come, but long after the job said them. */
export function isLate(state, lagMs) {
  return state === State.LIVE && lagMs !== null && lagMs >= LATE_MS;
}

/** What the badge says: the state in a word or two, which is read out when it changes. `behindMs` is of Progress. */
export function badgeWord(state, lagMs, behindMs = null) {
  if (state === State.LIVE && behindMs !== null) return "Catching up";
  return isLate(state, lagMs) ? "Late" : WORDS[state];
}

/** What stands beside it: how far behind, when it is live and known. */
export function badgeFigure(state, lagMs, behindMs = null) {
  if (state !== State.LIVE) return "";
  if (behindMs !== null) return coarse(behindMs);
  return lagMs === null ? "" : duration(Math.max(0, lagMs));
}

/** One sentence for a state that is not as it should be, null for the others. */
export function noticeText(state, reason) {
  if (state === State.RECONNECTING) return "The connection was lost. The page is trying to reconnect; what is shown is not moving.";
  if (state === State.OFFLINE) return "This device is offline. The page goes on by itself when the network is back.";
  if (state === State.DEGRADED) return `The delivery service is degraded: ${REASONS[reason] ?? reason ?? "it does not say why"}.`;
  return null;
}

/** A title and a sentence on a request at the start that failed: `status` is HTTP's, 0 when nobody answered. */
export function failureTexts(status, message) {
  const again = "The page tries again by itself.";
  if (status === 0) return ["The delivery service does not answer", `It may be starting still, or the network is down. ${again}`];
  if (status === 429 || status === 503) return ["The delivery service is busy", `It asked to be left alone for a moment. ${again}`];
  return ["The delivery service cannot say what there is", `${message}. ${again}`];
}
