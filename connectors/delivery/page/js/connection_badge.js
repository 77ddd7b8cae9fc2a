/** The badge with connection and lag, and the notice below the bar while something is wrong with it. */

import { byId, say } from "./elements.js";
import { badgeFigure, badgeWord, isLate, noticeText, State } from "./model/connection.js";
import { Progress } from "./model/progress.js";
import { announce } from "./states.js";

const NOTICE_AFTER_MS = 1_500;

/** Calls `onRetry()` when somebody does not want to wait for the next attempt, `onCaughtUp()` when bars of a history have come to now. */
export class ConnectionBadge {
  #state = State.CONNECTING;
  #lagMs = null;
  #behindMs = null;
  #progress = new Progress();
  #timer = 0;

  constructor({ onRetry, onCaughtUp }) {
    this.onCaughtUp = onCaughtUp;
    byId("retry").addEventListener("click", onRetry);
  }

  show(state, reason = null) {
    this.#state = state;
    document.body.dataset.connection = state;
    this.#write();
    clearTimeout(this.#timer);
    const sentence = noticeText(state, reason);
    if (sentence === null) byId("notice").hidden = true;
    else this.#timer = setTimeout(() => this.#notify(sentence), state === State.RECONNECTING ? NOTICE_AFTER_MS : 0);
  }

  /** A heartbeat, as the Conversation tells it. */
  beat(heartbeat) {
    const wasBehind = this.#behindMs !== null;
    this.#lagMs = heartbeat.lagMs;
    this.#behindMs = this.#progress.take(heartbeat);
    this.#write();
    if (wasBehind && this.#behindMs === null) this.onCaughtUp();
  }

  #write() {
    say(byId("badge-word"), badgeWord(this.#state, this.#lagMs, this.#behindMs));
    say(byId("badge-figure"), badgeFigure(this.#state, this.#lagMs, this.#behindMs));
    document.body.toggleAttribute("data-late", this.#behindMs !== null || isLate(this.#state, this.#lagMs));
  }

  #notify(sentence) {
    const notice = byId("notice");
    say(byId("notice-text"), sentence);
    notice.dataset.stateMessage = sentence;
    byId("retry").hidden = this.#state === State.DEGRADED;
    notice.hidden = false;
    announce(sentence);
  }
}
