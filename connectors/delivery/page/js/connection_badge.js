/** The badge with connection and lag, and the notice below the bar while something is wrong with it. */

import { byId, say } from "./elements.js";
import { badgeText, isLate, noticeText, State } from "./model/connection.js";
import { announce } from "./states.js";

const NOTICE_AFTER_MS = 1_500;

/** Calls `onRetry()` when somebody does not want to wait for the next attempt. */
export class ConnectionBadge {
  #state = State.CONNECTING;
  #lagMs = null;
  #timer = 0;

  constructor(onRetry) {
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

  beat(lagMs) {
    this.#lagMs = lagMs;
    this.#write();
  }

  #write() {
    say(byId("badge-text"), badgeText(this.#state, this.#lagMs));
    document.body.toggleAttribute("data-late", isLate(this.#state, this.#lagMs));
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
